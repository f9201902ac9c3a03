public import KeyStores

extension RootKey: SecretSealing {}
