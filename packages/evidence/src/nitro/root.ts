// The root of AWS Nitro attestation, pinned: P-384, valid from 2019-10-28 to 2049-10-28. Compared byte for byte, so the
// bundle inside a document can never bring its own.
import { type Certificate, equalBytes, fromPem, parseCertificate } from "@holdfast/core";

/** SHA-256 of the root's DER, as AWS publishes it. */
export const AWS_NITRO_ROOT_SHA256 =
  "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";

const AWS_NITRO_ROOT_PEM = `-----BEGIN CERTIFICATE-----
MIICETCCAZagAwIBAgIRAPkxdWgbkK/hHUbMtOTn+FYwCgYIKoZIzj0EAwMwSTEL
MAkGA1UEBhMCVVMxDzANBgNVBAoMBkFtYXpvbjEMMAoGA1UECwwDQVdTMRswGQYD
VQQDDBJhd3Mubml0cm8tZW5jbGF2ZXMwHhcNMTkxMDI4MTMyODA1WhcNNDkxMDI4
MTQyODA1WjBJMQswCQYDVQQGEwJVUzEPMA0GA1UECgwGQW1hem9uMQwwCgYDVQQL
DANBV1MxGzAZBgNVBAMMEmF3cy5uaXRyby1lbmNsYXZlczB2MBAGByqGSM49AgEG
BSuBBAAiA2IABPwCVOumCMHzaHDimtqQvkY4MpJzbolL//Zy2YlES1BR5TSksfbb
48C8WBoyt7F2Bw7eEtaaP+ohG2bnUs990d0JX28TcPQXCEPZ3BABIeTPYwEoCWZE
h8l5YoQwTcU/9KNCMEAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUkCW1DdkF
R+eWw5b6cp3PmanfS5YwDgYDVR0PAQH/BAQDAgGGMAoGCCqGSM49BAMDA2kAMGYC
MQCjfy+Rocm9Xue4YnwWmNJVA44fA0P5W2OpYow9OYCVRaEevL8uO1XYru5xtMPW
rfMCMQCi85sWBbJwKKXdS6BptQFuZbT73o/gBh1qUxl/nNr12UO8Yfwr6wPLb+6N
IwLz3/Y=
-----END CERTIFICATE-----
`;

let root: Certificate | undefined;

/** The pinned root of AWS. */
export function awsNitroRoot(): Certificate {
  root ??= parseCertificate(fromPem("CERTIFICATE", AWS_NITRO_ROOT_PEM)[0] ?? new Uint8Array());
  return root;
}

/** What stands behind a trusted root: AWS, or software only. */
export function nitroPlatform(anchor: Certificate): "aws-nitro" | "simulated-nitro" {
  return equalBytes(anchor.der, awsNitroRoot().der) ? "aws-nitro" : "simulated-nitro";
}
