"""The words as enums and frozen types, and the structs of what arrives on the wire."""
