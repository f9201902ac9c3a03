import KMSClient
import Testing

@Suite struct ProfileFileTests {
    @Test func `A config file has profiles, services and sections of others`() throws {
        let file = try ProfileFile(
            """
            # a comment
            [default]
            region = eu-central-1
            output=json

            [profile work]
            Region=us-west-2
            services = ours
            s3 =
              max_concurrent_requests = 20
            endpoint_url = https://example.com:8555
            ; another comment
            [profile "with blanks"]
            region = us-east-1
            [sso-session corporate]
            sso_region = us-east-1
            [services ours]
            kms =
              endpoint_url = https://kms.example.com
            s3 =
              endpoint_url = https://s3.example.com
            """, kind: .config, name: "config")
        #expect(file.profiles.keys.sorted() == ["default", "with blanks", "work"])
        #expect(file.profiles["default"] == ["region": "eu-central-1", "output": "json"])
        #expect(file.profiles["work"]?["region"] == "us-west-2")
        #expect(file.profiles["work"]?["s3.max_concurrent_requests"] == "20")
        #expect(file.profiles["work"]?["endpoint_url"] == "https://example.com:8555")
        #expect(file.services["ours"]?["kms.endpoint_url"] == "https://kms.example.com")
    }

    @Test func `A credentials file names its profiles without a word before them`() throws {
        let file = try ProfileFile(
            "[default]\r\naws_access_key_id = AKID\r\naws_secret_access_key = with=equals#and;more\r\n[profile x]\r\n",
            kind: .credentials, name: "credentials")
        #expect(
            file.profiles["default"]
                == ["aws_access_key_id": "AKID", "aws_secret_access_key": "with=equals#and;more"])
        // Empty sections are no profiles; this one's name has two words here.
        #expect(file.profiles.count == 1)
    }

    @Test(arguments: [
        ("[default\nregion = x", 1), ("region = x", 1), ("[default]\nmy-secret-by-mistake", 2), ("\n[]", 2),
    ])
    func `What is no profile file is an error that names the line and quotes nothing`(text: String, line: Int) {
        let error = #expect(throws: ClientError.self) { _ = try ProfileFile(text, kind: .credentials, name: "file") }
        #expect(error?.description.hasPrefix("file:\(line): ") == true)
        #expect(error?.description.contains("secret") == false)
    }

    @Test func `An empty file has no profiles`() throws {
        #expect(try ProfileFile("", kind: .config, name: "config").profiles.isEmpty)
    }
}
