import type { CsrParameters } from '../../manager/csr/parameters.ts';
import { type Content, openContent } from '../../x509/containers.ts';
import { curveNames } from '../../x509/keys.ts';
import { isCertificateBlock } from '../../x509/pem.ts';
import { at, listAt, targetOf, textAt, textsAt } from './json.ts';
import type { Service } from './service.ts';

interface Submitted {
  readonly CertificateString: string;
  readonly CertificateType: string;
}

/** What the CertificateService (DSP2046) takes, in the words of this service. */
export interface CertificateService {
  /** Where an action is asked for; `undefined` where it is not offered. */
  target(action: string): string | undefined;
  /** Members of a body that bring certificates and keys. */
  submitted(content: Content): Submitted;
  /** Members of a body that ask for a CSR; those that are not given are left out. */
  csrMembers(parameters: Partial<CsrParameters>): Promise<object>;
}

export function certificateService(service: Service, resource: unknown): CertificateService {
  const replace = ['Actions', '#CertificateService.ReplaceCertificate'];
  const generate = ['Actions', '#CertificateService.GenerateCSR'];
  const types = textsAt(resource, ...replace, 'CertificateType@Redfish.AllowableValues');
  const allowed = async (name: string): Promise<readonly string[]> => {
    const inline = textsAt(resource, ...generate, `${name}@Redfish.AllowableValues`);
    const info = textAt(resource, ...generate, '@Redfish.ActionInfo');
    if (inline.length > 0 || info === undefined) return inline;
    const parameters = listAt(await service.look(info), 'Parameters');
    const found = parameters.find((one) => textAt(one, 'Name') === name);
    return textsAt(found, 'AllowableValues');
  };
  return {
    target: (action) => targetOf(resource, action),
    submitted(content) {
      const blocks = openContent(content);
      const isChain = blocks.filter(isCertificateBlock).length > 1;
      // OpenBMC's own service takes chains, too, and has no name for them
      const hasName = types.length === 0 || types.includes('PEMchain');
      return {
        CertificateString: blocks.map(({ text }) => text).join(''),
        CertificateType: isChain && hasName ? 'PEMchain' : 'PEM',
      };
    },
    async csrMembers(parameters) {
      const given = Object.entries(parameters).filter(
        ([, value]) => value !== '' && value !== 0n && String(value) !== '',
      );
      const members = given.map(async ([name, value]) => {
        if (typeof value === 'bigint') return [name, Number(value)] as const;
        if (!isKeyParameter(name) || typeof value !== 'string') return [name, value] as const;
        return [name, sameIn(await allowed(name), value)] as const;
      });
      return Object.fromEntries(await Promise.all(members));
    },
  };
}

/** What our own services say of a collection beyond the standard; `undefined` for the services of others. */
export function extensionOf(collection: unknown): unknown {
  return at(collection, 'Oem', 'BmcCertificates');
}

/** Names of the same: OpenBMC has those of OpenSSL, the standard those of TPMs. */
const synonyms: readonly (readonly string[])[] = [
  ['EC', 'TPM_ALG_ECDSA'],
  ['RSA', 'TPM_ALG_RSA'],
  ...Object.values(curveNames),
];

function isKeyParameter(name: string): boolean {
  return name === 'KeyPairAlgorithm' || name === 'KeyCurveId';
}

function sameIn(allowed: readonly string[], value: string): string {
  if (allowed.includes(value)) return value;
  const same = synonyms.find((names) => names.includes(value)) ?? [];
  return same.find((name) => allowed.includes(name)) ?? value;
}
