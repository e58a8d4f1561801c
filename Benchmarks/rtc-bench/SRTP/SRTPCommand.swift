import ArgumentParser
import NIOCore
import RTCSRTP

/// `rtc-bench srtp`: what protecting and unprotecting a packet costs, by engine and profile.
struct SRTPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "srtp",
        abstract: "Protect and unprotect RTP packets with each engine and profile; nanoseconds for each packet."
    )

    @Option(help: "The size of an RTP packet in bytes.")
    var size = 1_200

    @Option(help: "How long to measure in all.")
    var seconds = 4.0

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    func validate() throws {
        guard (12...65_000).contains(self.size) else { throw ValidationError("--size is from 12 to 65000") }
        guard self.seconds > 0, self.seconds <= 86_400 else { throw ValidationError("--seconds is from 0 to 86400") }
    }

    func run() throws {
        var cases = try SRTPProfile.allCases.flatMap { profile in
            try SRTPConfiguration.Engine.allCases.map { try SRTPCase(profile: profile, engine: $0, size: self.size) }
        }
        // In turns, so that a busy moment of the machine falls on all of them.
        let end = NIODeadline.now() + .nanoseconds(Int64(self.seconds * 1e9))
        repeat {
            for index in cases.indices { try cases[index].measureRound() }
        } while NIODeadline.now() < end
        var sessions: [SRTPSession] = []
        var report = Report()
        for pair in stride(from: 0, to: cases.count, by: 2) {
            let (openSSL, libsrtp) = (cases[pair], cases[pair + 1])
            report.add("\(openSSL.name)_session_bytes", try openSSL.measureSessionBytes(keeping: &sessions))
            report.add("\(libsrtp.name)_session_bytes", try libsrtp.measureSessionBytes(keeping: &sessions))
            for measured in [openSSL, libsrtp] {
                report.add("\(measured.name)_protect_ns", measured.protectNanoseconds)
                report.add("\(measured.name)_unprotect_ns", measured.unprotectNanoseconds)
                report.add("\(measured.name)_forward_ns", measured.forwardNanoseconds)
            }
            let ratio = openSSL.protectNanoseconds / libsrtp.protectNanoseconds
            report.add("\(openSSL.profile)_protect_ratio", ratio)
            report.add(
                "\(openSSL.profile)_unprotect_ratio",
                openSSL.unprotectNanoseconds / libsrtp.unprotectNanoseconds
            )
        }
        report.print(json: self.json)
    }
}
