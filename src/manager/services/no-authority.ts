/**
 * What a service reads whose authority endpoint has no CA: a CA that verifies nothing. Programs do not begin without a CA, and
 * those that run, such as nginx, go on with the CAs that are gone: both with an empty file and without a file.
 *
 * Its only second was in 1970, and nobody can have its key: the x coordinate of its point on P-256 is the SHA-256 of the text
 * `Nobody has the key of this CA 0`.
 */
export const noAuthority = `-----BEGIN CERTIFICATE-----
MIIBMjCCARegAwIBAgIBATAKBggqhkjOPQQDAjAgMR4wHAYDVQQDDBVObyBDQSBp
cyB0cnVzdGVkIGhlcmUwHhcNNzAwMTAxMDAwMDAwWhcNNzAwMTAxMDAwMDAwWjAg
MR4wHAYDVQQDDBVObyBDQSBpcyB0cnVzdGVkIGhlcmUwWTATBgcqhkjOPQIBBggq
hkjOPQMBBwNCAARHTIXOviWiVtOYyfKI+bNpWM5xKIht+DCf8+PJUIetxwIQkUkd
/AlhL29jCVjrZICLV9Ohn9GgkzhlaWnwwJxMo0IwQDAPBgNVHRMBAf8EBTADAQH/
MA4GA1UdDwEB/wQEAwICBDAdBgNVHQ4EFgQUuwQLoqwis+GdkPsdAB2aXA7bGa4w
CgYIKoZIzj0EAwIDCQAwBgIBAQIBAQ==
-----END CERTIFICATE-----
`;
