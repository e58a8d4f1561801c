import ArgumentParser
import EchoProgram

@main
enum Echo {
    static func main() async { await EchoCommand.main() }
}
