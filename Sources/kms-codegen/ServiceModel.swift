internal import Foundation

/// The service model of KMS, as far as the generator reads it.
///
/// The format is that of the AWS SDKs (botocore's `service-2.json`): shapes by name, and operations that refer to them.
package struct ServiceModel: Decodable {
    package struct Metadata: Decodable {
        package let apiVersion: String
        package let targetPrefix: String
    }

    package struct Reference: Decodable {
        package let shape: String
    }

    package struct Operation: Decodable {
        package let name: String
        package let input: Reference?
        package let output: Reference?
    }

    package struct Shape: Decodable {
        package let type: String
        package let members: [String: Reference]?
        package let required: [String]?
        package let member: Reference?
        package let key: Reference?
        package let value: Reference?
        package let values: [String]?
        package let min: Int?
        package let max: Int?
        package let pattern: String?
        package let sensitive: Bool?
        package let exception: Bool?
        package let fault: Bool?

        enum CodingKeys: String, CodingKey {
            case type, members, required, member, key, value, values = "enum", min, max, pattern, sensitive
            case exception, fault
        }

        package var isSensitive: Bool { sensitive ?? false }
        package var isException: Bool { exception ?? false }
    }

    package let metadata: Metadata
    package let operations: [String: Operation]
    package let shapes: [String: Shape]

    /// Reads the model, and checks that every shape that is referred to exists.
    package init(parsing text: [UInt8]) throws {
        self = try JSONDecoder().decode(ServiceModel.self, from: Data(text))
        for (name, shape) in shapes {
            let references =
                (shape.members.map { Array($0.values) } ?? [])
                + [shape.member, shape.key, shape.value].compactMap(\.self)
            for reference in references where shapes[reference.shape] == nil {
                throw CodegenError("shape \(name) refers to \(reference.shape), which does not exist")
            }
        }
        for operation in operations.values {
            for reference in [operation.input, operation.output].compactMap(\.self)
            where shapes[reference.shape]?.type != "structure" {
                throw CodegenError("operation \(operation.name) refers to \(reference.shape), which is no structure")
            }
        }
    }

    package func shape(_ name: String) throws -> Shape {
        guard let shape = shapes[name] else { throw CodegenError("no shape \(name)") }
        return shape
    }

    /// The names of all shapes that can be reached from the structures `roots`.
    package func reachable(from roots: [String]) throws -> Set<String> {
        var reached: Set<String> = []
        var open = roots
        while let name = open.popLast() {
            guard reached.insert(name).inserted else { continue }
            let shape = try shape(name)
            open += (shape.members ?? [:]).values.map(\.shape)
            open += [shape.member, shape.key, shape.value].compactMap(\.?.shape)
        }
        return reached
    }
}

/// Why nothing was generated.
package struct CodegenError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
