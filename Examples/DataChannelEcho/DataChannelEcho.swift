import ArgumentParser
import EchoProgram

@main
enum DataChannelEcho {
    static func main() async { await EchoCommand.main() }
}
