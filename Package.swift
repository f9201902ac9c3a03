// swift-tools-version: 6.2
import PackageDescription

// The table of targets and of what each may import is a wall, not a habit: see README.md, "Map of folders".
// Dependencies point down; only `strongroom` knows every implementation.

/// Settings of every Swift target of ours.
let ours: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// A library target of ours.
func library(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: ours)
}

/// A test target of ours.
func test(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: ours)
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let nio = [
    Target.Dependency.product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]

let package = Package(
    name: "strongroom",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "strongroom", targets: ["strongroom"]),
        .library(name: "FaultyToken", type: .dynamic, targets: ["FaultyToken"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Secrets and cryptography
        library("SecureMemory"),
        .systemLibrary(name: "CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CPostQuantum", dependencies: [.product(name: "Crypto", package: "swift-crypto")]),
        library("Cryptography", ["CLibCrypto", "CPostQuantum", "SecureMemory"]),
        library("SigV4", ["Cryptography", "SecureMemory"]),
        // The API
        .executableTarget(
            name: "kms-codegen", dependencies: ["Cryptography"], exclude: ["Model"], swiftSettings: ours),
        library("KMSModel", ["SecureMemory"]),
        // Key stores
        library("KeyStores", ["Cryptography", "KMSModel", "SecureMemory"]),
        library("KeyStoreSoftware", ["Cryptography", "KMSModel", "KeyStores", "SecureMemory"]),
        .target(name: "CPKCS11"),
        library("PKCS11", ["CPKCS11", "SecureMemory"]),
        library(
            "KeyStorePKCS11", ["Cryptography", "KMSModel", "KeyStores", "PKCS11", "SecureMemory"]),
        library("Conformance", ["Cryptography", "KMSModel", "KeyStores", "SecureMemory"]),
        // KMS
        library("KMSPolicy", ["KMSModel"]),
        library("KMSCore", ["Cryptography", "KMSModel", "KMSPolicy", "KeyStores", "SecureMemory", logging]),
        library(
            "KMSStorage",
            ["KMSCore", "KMSModel", "KMSPolicy", "KeyStores", .product(name: "GRDB", package: "GRDB.swift")]),
        library(
            "KMSServer",
            [
                "Cryptography", "KMSCore", "KMSModel", "KMSPolicy", "SecureMemory", "SigV4", logging, lifecycle,
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ] + nio),
        // Key ceremonies
        library("KeyCeremony", ["Cryptography", "KMSModel", "KeyStores", "PKCS11", "SecureMemory"]),
        library(
            "KMSClient",
            [
                "Cryptography", "KMSModel", "SecureMemory", "SigV4",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio),
        .executableTarget(
            name: "strongroom",
            dependencies: [
                "Conformance", "Cryptography", "KMSClient", "KMSCore", "KMSModel", "KMSPolicy", "KMSServer",
                "KMSStorage",
                "KeyCeremony", "KeyStorePKCS11", "KeyStoreSoftware", "KeyStores", "PKCS11", "SecureMemory",
                argumentParser, logging, lifecycle,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: ours),
        .executableTarget(
            name: "kms-bench",
            dependencies: [
                "CPKCS11", "Cryptography", "SecureMemory", "SigV4", argumentParser,
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ] + nio,
            swiftSettings: ours),
        // Tests
        .target(name: "FaultyToken", dependencies: ["CPKCS11"]),
        library("KMSTesting", ["Conformance", "KMSModel", "KeyStores", "SecureMemory"]),
        test("PKCS11Tests", ["KMSTesting", "PKCS11", "SecureMemory"], exclude: ["MustNotCompile"]),
        test(
            "KeyStorePKCS11Tests",
            [
                "Conformance", "Cryptography", "KMSModel", "KMSTesting", "KeyStorePKCS11", "KeyStoreSoftware",
                "KeyStores", "PKCS11", "SecureMemory",
            ], exclude: ["Matrix"]),
        // Measured by scripts/check-constant-time.
        .executableTarget(
            name: "constant-time", dependencies: ["Cryptography", "KeyStorePKCS11", "PKCS11", "SecureMemory"],
            path: "Tests/ConstantTime", swiftSettings: ours),
        test("SecureMemoryTests", ["SecureMemory"]),
        test("CryptographyTests", ["Cryptography", "SecureMemory"]),
        test("SigV4Tests", ["Cryptography", "SecureMemory", "SigV4"]),
        test("KMSClientTests", ["KMSClient", "KMSModel", "SecureMemory", "SigV4"]),
        test(
            "KeyCeremonyTests", ["Cryptography", "KMSModel", "KMSTesting", "KeyCeremony", "PKCS11", "SecureMemory"]),
        test("CodegenTests", ["kms-codegen"], exclude: ["Reference"]),
        test("KMSModelTests", ["KMSModel", "SecureMemory"]),
        test(
            "KeyStoreSoftwareTests",
            ["Conformance", "Cryptography", "KMSModel", "KeyStoreSoftware", "KeyStores", "SecureMemory"]),
        test(
            "KMSCoreTests",
            [
                "KMSCore", "KMSModel", "KMSPolicy", "KMSStorage", "KeyStoreSoftware", "KeyStores", "SecureMemory",
                logging,
            ]),
        test("KMSPolicyTests", ["KMSModel", "KMSPolicy"], exclude: ["Cases"]),
        test(
            "KMSServerTests",
            [
                "Cryptography", "KMSCore", "KMSModel", "KMSPolicy", "KMSServer", "KeyStoreSoftware", "KeyStores",
                "SecureMemory", "SigV4", logging,
            ]),
        test(
            "KMSStorageTests",
            [
                "KMSCore", "KMSModel", "KMSPolicy", "KMSStorage", "KeyStores",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
    ]
)
