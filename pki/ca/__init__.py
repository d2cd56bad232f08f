"""The certificate authority: its keys and certificates in files, in a PKCS#11 token or in AWS KMS, the profiles of its
certificates, and its revocation lists."""
