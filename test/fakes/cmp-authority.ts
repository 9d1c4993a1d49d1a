import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import type { PkiBody } from '../../src/cmp/messages/body.ts';
import { certRequest } from '../../src/cmp/messages/certificate-request.ts';
import { decodeMessage, type PkiHeader } from '../../src/cmp/messages/pki-message.ts';
import {
  macProtector,
  type Protector,
  protectMessage,
  signatureProtector,
} from '../../src/cmp/protection/protect.ts';
import { subjectOf } from '../../src/cmp/request.ts';
import { certificateHash } from '../../src/cmp/transaction/draft.ts';
import { wholeBytes } from '../../src/x509/asn1/primitives.ts';
import { readAs } from '../../src/x509/asn1/structure.ts';
import { type Certificate, readCertificate } from '../../src/x509/certificate.ts';
import {
  bitString,
  contextConstructed,
  decode,
  encode,
  sequence,
  time,
  unsignedInteger,
} from '../../src/x509/der.ts';
import {
  basicConstraints,
  type Extension,
  readExtensions,
  subjectKeyIdentifier,
  usageExtensions,
  writeExtensions,
} from '../../src/x509/extensions.ts';
import { keyIdentifier, publicKeyInfo, signerFor } from '../../src/x509/keys.ts';
import { writeName } from '../../src/x509/name.ts';
import type { KeyUsage } from '../../src/x509/oids.ts';

/** What the CA does instead of what it was asked. */
export interface Misbehaviour {
  readonly subject?: Buffer;
  readonly publicKey?: Buffer;
  readonly extensions?: readonly Extension[];
  readonly usages?: readonly KeyUsage[];
  readonly isCa?: boolean;
  readonly notAfter?: Date;
  /** How often it lets wait before it answers. */
  readonly polls?: number;
  /** Instead of issuing; the bits of its failInfo. */
  readonly rejects?: readonly number[];
  /** Answers are protected with this one. */
  readonly secret?: string;
  /** Changes an answer on its way. */
  readonly onTheWay?: (answer: Buffer) => Buffer;
}

export interface CmpAuthority {
  readonly certificate: Certificate;
  /** All that it issued, the last one last, and whether it was confirmed. */
  readonly issued: {
    readonly certificate: Certificate;
    state: 'issued' | 'confirmed' | 'refused';
  }[];
  /** Operations that were asked for. */
  readonly asked: string[];
  misbehaves: Misbehaviour;
  /** How long a certificate is valid, in seconds. */
  lifetime: number;
  answer(message: Buffer): Promise<Buffer>;
}

interface Open {
  body: Buffer;
  pollsLeft: number;
  kind: 'ip' | 'cp' | 'kup';
  certificate?: Buffer;
}

/**
 * A CA in memory that does as a test tells it. It is made of the same encoder as the client, so it shows nothing of other
 * implementations; those are in test/interop/cmp/.
 */
export function cmpAuthority(secret: string, now: () => number): CmpAuthority {
  const key = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  const rootName = encode(writeName([{ type: 'CN', value: 'CMP test CA' }]));
  const make = (request: Parameters<typeof makeCertificate>[1]) => makeCertificate(key, request);
  const own = readCertificate(
    make({
      ...{ issuer: rootName, subject: rootName, publicKey: infoOf(key), isCa: true },
      ...{ extensions: [], usages: ['KeyCertSign', 'CRLSigning'] },
      ...{ notBefore: now() - 86_400_000, notAfter: now() + 3650 * 86_400_000 },
    }),
  );
  const open = new Map<string, Open>();
  const authority: CmpAuthority = {
    certificate: own,
    issued: [],
    asked: [],
    misbehaves: {},
    lifetime: 86_400,
    async answer(bytes) {
      const message = decodeMessage(bytes);
      const id = message.header.transactionId?.toString('hex') ?? '';
      const body = reply(message.body, id);
      const { misbehaves } = authority;
      const header: Omit<PkiHeader, 'protectionAlg' | 'senderKid'> = {
        pvno: 2,
        sender: subjectOf(own.der),
        recipient: message.header.sender,
        transactionId: message.header.transactionId,
        senderNonce: randomBytes(16),
        recipNonce: message.header.senderNonce,
      };
      const isMac = message.header.protectionAlg?.algorithm.startsWith('1.2.840.113533') ?? false;
      const reference = message.header.senderKid?.toString() ?? '';
      const value = Buffer.from(misbehaves.secret ?? secret);
      const settings = { kind: 'pbm', digest: 'sha256', iterations: 500 } as const;
      const protector: Protector = isMac
        ? macProtector({ reference, value }, settings, randomBytes(16))
        : signatureProtector([own], async ({ digest }, data) => sign(digest, data, key));
      const answer = await protectMessage(header, body, protector);
      return misbehaves.onTheWay?.(answer) ?? answer;
    },
  };
  return authority;

  function reply(body: PkiBody, id: string): PkiBody {
    switch (body.kind) {
      case 'ir':
      case 'cr':
      case 'kur': {
        authority.asked.push(body.kind);
        const kind = ({ ir: 'ip', cr: 'cp', kur: 'kup' } as const)[body.kind];
        const [{ certReq = Buffer.alloc(0) } = {}] = body.value;
        const entry: Open = { body: certReq, kind, pollsLeft: authority.misbehaves.polls ?? 0 };
        open.set(id, entry);
        return certificateAnswer(entry);
      }
      case 'pollReq': {
        const entry = open.get(id);
        return entry ? certificateAnswer(entry, true) : error([2]);
      }
      case 'certConf': {
        const entry = open.get(id);
        const [status] = body.value;
        const issued = authority.issued.at(-1);
        if (!entry?.certificate || !status || !issued) return error([2]);
        if (!status.certHash.equals(certificateHash(entry.certificate))) return error([4]);
        issued.state = status.statusInfo?.status === 2 ? 'refused' : 'confirmed';
        open.delete(id);
        return { kind: 'pkiconf', value: null };
      }
      default:
        return error([2]);
    }
  }

  function certificateAnswer(entry: Open, isPoll = false): PkiBody {
    const { misbehaves } = authority;
    const answer = (status: number, more = {}): PkiBody => ({
      kind: entry.kind,
      value: { response: [{ certReqId: 0, status: { status, ...more } }] },
    });
    if (misbehaves.rejects)
      return answer(2, { statusString: ['not today'], failInfo: failInfo(misbehaves.rejects) });
    if (entry.pollsLeft > 0) {
      entry.pollsLeft -= 1;
      return isPoll ? { kind: 'pollRep', value: [{ certReqId: 0, checkAfter: 1 }] } : answer(3);
    }
    const { certTemplate } = readAs(certRequest, entry.body);
    const { subject = rootName, publicKey = Buffer.alloc(0), extensions } = certTemplate;
    const certificate = make({
      issuer: rootName,
      subject: misbehaves.subject ?? subject,
      publicKey: misbehaves.publicKey ?? publicKey,
      isCa: misbehaves.isCa ?? false,
      extensions:
        misbehaves.extensions ?? (extensions ? readExtensions(decode(extensions), 100) : []),
      usages: misbehaves.usages ?? ['DigitalSignature', 'ServerAuthentication'],
      notBefore: now() - 60_000,
      notAfter: misbehaves.notAfter?.getTime() ?? now() + authority.lifetime * 1000,
    });
    entry.certificate = certificate;
    authority.issued.push({ certificate: readCertificate(certificate), state: 'issued' });
    const certOrEncCert = { kind: 'certificate', value: certificate } as const;
    const response = { certReqId: 0, status: { status: 0 }, certifiedKeyPair: { certOrEncCert } };
    return { kind: entry.kind, value: { response: [response] } };
  }
}

function error(bits: readonly number[]): PkiBody {
  return {
    kind: 'error',
    value: { pkiStatusInfo: { status: 2, failInfo: failInfo(bits) } },
  };
}

function failInfo(bits: readonly number[]) {
  const bytes = Buffer.alloc(4);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return wholeBytes(bytes);
}

function infoOf(key: KeyObject): Buffer {
  return publicKeyInfo(createPublicKey(key));
}

function makeCertificate(
  key: KeyObject,
  request: {
    readonly issuer: Buffer;
    readonly subject: Buffer;
    readonly publicKey: Buffer;
    readonly isCa: boolean;
    readonly extensions: readonly Extension[];
    readonly usages: readonly KeyUsage[];
    readonly notBefore: number;
    readonly notAfter: number;
  },
): Buffer {
  const signer = signerFor(key);
  const tbs = sequence(
    contextConstructed(0, unsignedInteger(Buffer.of(2))),
    unsignedInteger(Buffer.concat([Buffer.of(0x40), randomBytes(15)])),
    signer.algorithm,
    decode(request.issuer),
    sequence(time(new Date(request.notBefore)), time(new Date(request.notAfter))),
    decode(request.subject),
    decode(request.publicKey),
    contextConstructed(
      3,
      writeExtensions([
        basicConstraints(request.isCa),
        subjectKeyIdentifier(keyIdentifier(request.publicKey)),
        ...usageExtensions(request.usages),
        ...request.extensions,
      ]),
    ),
  );
  return encode(sequence(tbs, signer.algorithm, bitString(signer.sign(encode(tbs)))));
}
