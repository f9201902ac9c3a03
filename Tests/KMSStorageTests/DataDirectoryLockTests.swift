import Foundation
import Glibc
import KMSCore
import KMSStorage
import Testing

@Suite struct DataDirectoryLockTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func `A second lock is refused and told who holds the first`() throws {
        let first = try DataDirectoryLock(directory: directory.path)
        let error = #expect(throws: MetadataStoreError.self) { try DataDirectoryLock(directory: directory.path) }
        let owner = "process \(ProcessInfo.processInfo.processIdentifier)"
        #expect(error?.reason.hasPrefix("the data directory \(directory.path) is in use by \(owner);") == true)
        withExtendedLifetime(first) {}
    }

    @Test func `A lock that was let go can be taken again, also after an owner with a longer process id`() throws {
        try Data("4194304\n and more".utf8).write(to: URL(filePath: directory.path + "/" + DataDirectoryLock.fileName))
        for _ in 0..<2 {
            let lock = try DataDirectoryLock(directory: directory.path)
            let text = try String(contentsOfFile: directory.path + "/" + DataDirectoryLock.fileName, encoding: .utf8)
            #expect(text == "\(ProcessInfo.processInfo.processIdentifier)\n")
            withExtendedLifetime(lock) {}
        }
    }

    @Test func `A process that the owner starts does not inherit the lock`() throws {
        let lock = try DataDirectoryLock(directory: directory.path)
        let path = URL(filePath: directory.path + "/" + DataDirectoryLock.fileName).resolvingSymlinksInPath().path
        let files = FileManager.default
        let descriptor = try #require(
            files.contentsOfDirectory(atPath: "/proc/self/fd").first { name in
                (try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + name)) == path
            }
        )
        // proc(5): the flags are octal and say O_CLOEXEC among others.
        let facts = try String(contentsOfFile: "/proc/self/fdinfo/" + descriptor, encoding: .utf8)
        let line = facts.split(separator: "\n").first { $0.hasPrefix("flags:") }
        let flags = try #require(line?.split(separator: "\t").last)
        #expect(try #require(Int32(flags, radix: 8)) & O_CLOEXEC != 0)
        withExtendedLifetime(lock) {}
    }

    @Test func `A lock of another process is respected and ends with it`() throws {
        let path = directory.path + "/" + DataDirectoryLock.fileName
        let holder = Process()
        holder.executableURL = URL(filePath: "/usr/bin/flock")
        // Says `held` once it has the lock, and ends when its input ends.
        holder.arguments = ["-x", "-o", path, "/bin/sh", "-c", "echo 1 > \(path); echo held; cat"]
        let (input, output) = (Pipe(), Pipe())
        holder.standardInput = input
        holder.standardOutput = output
        try holder.run()
        #expect(try output.fileHandleForReading.read(upToCount: 5) == Data("held\n".utf8))
        let error = #expect(throws: MetadataStoreError.self) { try DataDirectoryLock(directory: directory.path) }
        #expect(error?.reason.contains("in use by process 1;") == true)
        try input.fileHandleForWriting.close()
        holder.waitUntilExit()
        _ = try DataDirectoryLock(directory: directory.path)
    }

    @Test func `A directory that is not there is named`() throws {
        let error = #expect(throws: MetadataStoreError.self) {
            try DataDirectoryLock(directory: directory.path + "/missing")
        }
        #expect(error?.reason == "cannot open \(directory.path)/missing/lock: its directory does not exist")
    }
}
