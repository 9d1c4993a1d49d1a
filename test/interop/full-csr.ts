import type { CsrParameters } from '../../src/manager/csr/parameters.ts';
import { curveNames, rsaLengths } from '../../src/x509/keys.ts';
import { keyPurposes, keyUsageBits } from '../../src/x509/oids.ts';

export interface KeyCase {
  readonly what: string;
  readonly given: Partial<CsrParameters>;
  /** How the tools show the key. */
  readonly openssl: string;
  readonly certtool: string;
}

const rsa = (KeyPairAlgorithm: string, bits: number): KeyCase => ({
  what: `${KeyPairAlgorithm} of ${bits} bits`,
  given: { KeyPairAlgorithm, KeyBitLength: BigInt(bits) },
  openssl: `rsaEncryption Public-Key: (${bits} bit)`,
  certtool: `Modulus (bits ${bits})`,
});

const curveBits = { secp224r1: 224, prime256v1: 256, secp384r1: 384, secp521r1: 521 };

const ec = (KeyPairAlgorithm: string, KeyCurveId: string, curve: keyof typeof curveBits) => ({
  what: `${KeyPairAlgorithm} on ${KeyCurveId}`,
  given: { KeyPairAlgorithm, KeyCurveId },
  openssl: `(${curveBits[curve]} bit)`,
  certtool: `Curve: SECP${curveBits[curve]}R1`,
});

const curves = ['secp224r1', 'prime256v1', 'secp384r1', 'secp521r1'] as const;

/** Every name of an algorithm and of a curve. */
export const keyCases: readonly KeyCase[] = [
  ...rsaLengths.map((bits) => rsa('RSA', bits)),
  ...['TPM_ALG_RSA', 'TPM_ALG_RSASSA'].map((name) => rsa(name, 2048)),
  ...curves.flatMap((curve) => curveNames[curve].map((name) => ec('EC', name, curve))),
  ...['ECC', 'ECDSA', 'TPM_ALG_ECC', 'TPM_ALG_ECDSA'].map((name) =>
    ec(name, 'P-256', 'prime256v1'),
  ),
  { ...ec('EC', '', 'secp384r1'), what: 'no algorithm and no curve', given: { KeyCurveId: '' } },
];

/** A CSR with all that it may have. */
export const full: Partial<CsrParameters> = {
  City: 'Zürich',
  CommonName: 'bmc.example.com',
  ContactPerson: 'Zoë Müller',
  Country: 'CH',
  Email: 'admin@example.com',
  GivenName: 'Zoë',
  Initials: 'ZM',
  Organization: 'Acme, Inc. + Söhne',
  OrganizationalUnit: 'R+D, "Lab"',
  State: 'Graubünden',
  Surname: 'Müller',
  AlternativeNames: [
    ...['bmc.example.com', 'DNS: bmc', '192.0.2.7', 'IP: 192.0.2.8', '2001:db8::7'],
    ...['IP: 2001:db8::8', 'admin@example.com', 'email: ops@example.com'],
    ...['https://bmc.example.com/redfish', 'URI: https://bmc/'],
  ],
  KeyUsage: [...keyUsageBits, ...Object.keys(keyPurposes)],
  ChallengePassword: 'pass, w+rd für 7',
  UnstructuredName: 'rack 7, slot + 3',
};
