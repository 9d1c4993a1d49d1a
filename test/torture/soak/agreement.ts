import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../../e2e/commands.ts';
import type { BusDoor } from './bus-door.ts';
import { fingerprintOf } from './certificates.ts';
import type { Ask } from './redfish-door.ts';
import { uris } from './world.ts';

/** Fingerprints by id, as each of the three tells them. */
export type Told = Readonly<Record<'https' | 'ldap' | 'truststore', Readonly<ById>>>;
type ById = Record<string, string>;

const files = { https: 'https/server.pem', ldap: 'ldap/cert.pem' } as const;

export async function asRedfishTells(ask: Ask): Promise<Told> {
  const list = async (uri: string): Promise<ById> => {
    const answer = await ask(`${uri}?$expand=.`);
    if (answer === 'away' || answer.status !== 200) throw new Error(`${uri} is away`);
    const members: { Id: string; Fingerprint: string }[] = JSON.parse(answer.text).Members;
    return Object.fromEntries(members.map(({ Id, Fingerprint }) => [Id, Fingerprint]));
  };
  const [https, ldap, truststore] = await Promise.all([
    list(uris.https),
    list(uris.ldap),
    list(uris.truststore),
  ]);
  return { https, ldap, truststore };
}

export async function asTheBusTells(door: BusDoor): Promise<Told> {
  const list = async (place: keyof Told): Promise<ById> =>
    Object.fromEntries((await door.list(place)) ?? []);
  return {
    https: await list('https'),
    ldap: await list('ldap'),
    truststore: await list('truststore'),
  };
}

export function asTheDiskHolds(state: string): Told {
  const single = (path: string): ById => {
    const text = readIfThere(join(state, path));
    return text === undefined ? {} : { 1: fingerprintOf(certificateIn(text)) };
  };
  const directory = join(state, 'authority');
  const authorities = readdirSync(directory).filter((name) => /^\d+\.pem$/.test(name));
  return {
    https: single(files.https),
    ldap: single(files.ldap),
    truststore: Object.fromEntries(
      authorities.map((name) => [
        name.replace('.pem', ''),
        fingerprintOf(readFileSync(join(directory, name), 'utf8')),
      ]),
    ),
  };
}

/**
 * What openssl says against the files: a key that does not fit its certificate, a chain that does not
 * verify, an authority that cannot be found by its name.
 * @param root path of the CA behind everything that was installed
 */
export async function objectionsOfOpenssl(state: string, root: string): Promise<readonly string[]> {
  const objections: string[] = [];
  for (const [name, file] of Object.entries(files)) {
    const path = join(state, file);
    if (readIfThere(path) === undefined) continue;
    const ofKey = await must('openssl', ['pkey', '-in', path, '-pubout']);
    const ofLeaf = await must('openssl', ['x509', '-in', path, '-noout', '-pubkey']);
    if (ofKey !== ofLeaf) objections.push(`the key of ${name} is of another certificate`);
    const text = readFileSync(path, 'utf8');
    const isOurs = (text.match(/BEGIN CERTIFICATE/g) ?? []).length > 1;
    if (!isOurs) continue;
    const verdict = await must('openssl', ['verify', '-CAfile', root, '-untrusted', path, path]);
    if (!verdict.includes('OK')) objections.push(`the chain of ${name}: ${verdict}`);
  }
  const directory = join(state, 'authority');
  for (const name of readdirSync(directory).filter((one) => /^\d+\.pem$/.test(one))) {
    const verdict = await must('openssl', [
      ...['verify', '-no-CAfile', '-no-CAstore', '-CApath', directory, join(directory, name)],
    ]).catch(String);
    if (!verdict.includes('OK')) objections.push(`authority ${name}: ${verdict}`);
  }
  return objections;
}

/** Files that no finished change leaves, below the state directory. */
export function leftovers(state: string): readonly string[] {
  const current = realpathSync(join(state, 'authority')).slice(state.length + 1);
  return readdirSync(state, { recursive: true })
    .map(String)
    .filter((name) => {
      const generation = /^authority\.generations\/\d+/.exec(name)?.[0];
      if (generation !== undefined && generation !== current) return true;
      return /(^|\/)\.|\.tmp|~$|\.replacement|\.new$|\.done$|\.refused$/.test(name);
    });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function certificateIn(text: string): string {
  return /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(text)?.[0] ?? '';
}
