import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CredentialEndpoint } from '../../src/manager/credential/credential-endpoint.ts';
import type { EndpointDefinition } from '../../src/manager/endpoint-definition.ts';
import { StagedReplacements } from '../../src/manager/replacement/staged-replacements.ts';
import { AuthorityEndpoint } from '../../src/manager/truststore/authority-endpoint.ts';
import { makeWorld, type World } from './manager-world.ts';
import { certificateOf, opensslAuthority } from './openssl-authority.ts';

export const owner = ':1.7';
export const limits = { defaultSeconds: 60, maxSeconds: 100 };

export const pairOf = ({ key, pem }: { readonly key: string; readonly pem: string }) => key + pem;
export const mark = (pem: string) => certificateOf(pem).fingerprint.slice(0, 8);

/** What a device has before a staged replacement, and what it tries. */
export function replacementMaterials() {
  const tools = opensslAuthority();
  const oldCa = tools.issueCa({ subject: '/CN=Old CA' });
  const newCa = tools.issueCa({ subject: '/CN=New CA' });
  return {
    oldCa,
    newCa,
    other: tools.issueCa({ subject: '/CN=Other CA' }),
    before: tools.issue({ issuer: oldCa, subject: '/CN=before' }),
    next: tools.issue({ issuer: newCa, subject: '/CN=next' }),
    remove: () => tools.remove(),
  };
}

type Materials = ReturnType<typeof replacementMaterials>;

/** A server and the truststore of its clients, whose certificates are tried together. */
export class ReplacementDevice {
  readonly world: World = makeWorld();
  readonly #materials: Materials;
  server: CredentialEndpoint;
  truststore: AuthorityEndpoint;
  replacements: StagedReplacements;
  /** Those that the replacements told, since the last start. */
  states: string[];

  private constructor(materials: Materials) {
    this.#materials = materials;
    ({
      server: this.server,
      truststore: this.truststore,
      replacements: this.replacements,
      states: this.states,
    } = this.#make());
  }

  static async open(materials: Materials): Promise<ReplacementDevice> {
    const device = new ReplacementDevice(materials);
    const { path } = device.server.definition;
    mkdirSync(dirname(path));
    writeFileSync(path, pairOf(materials.before), { mode: 0o600 });
    await device.server.start();
    await device.truststore.start();
    await device.truststore.install(materials.oldCa.pem);
    return device;
  }

  #make() {
    const at = (path: string) => join(this.world.directory, path);
    const https: EndpointDefinition = {
      type: 'server',
      name: 'https',
      path: at('https/server.pem'),
      reload: [],
    };
    const authority: EndpointDefinition = {
      type: 'authority',
      name: 'truststore',
      path: at('authority'),
      reload: [],
    };
    const server = new CredentialEndpoint(https, this.world.dependencies);
    const truststore = new AuthorityEndpoint(authority, this.world.dependencies);
    const replacements = new StagedReplacements(this.world.dependencies.log, () => limits);
    const states: string[] = [];
    replacements.subscribe(({ endpoint, state }) => states.push(`${endpoint.name} ${state}`));
    return { server, truststore, replacements, states };
  }

  /** @returns the id of a staged replacement of the new certificate and the new authority */
  stage(): Promise<string> {
    const { next, newCa } = this.#materials;
    return this.replacements.stage(owner, [
      { endpoint: this.server, content: pairOf(next) },
      { endpoint: this.truststore, content: newCa.pem },
    ]);
  }

  /** As a manager does that was killed: the replacement stays as it is on the disk. */
  die(): void {
    this.server.stop();
    this.truststore.stop();
    Object.assign(this, this.#make());
  }

  /** The same files, read by a manager that knows nothing of the replacement. */
  async restart(): Promise<void> {
    this.die();
    await this.replacements.recover([this.server, this.truststore]);
    await this.server.start();
    await this.truststore.start();
  }

  async close(): Promise<void> {
    await this.replacements.stop();
    this.server.stop();
    this.truststore.stop();
    this.world.remove();
  }

  served(): string[] {
    return this.server.list().map(({ certificate }) => mark(certificate.pem));
  }

  trusted(): string[] {
    return this.truststore.list().map(({ id, certificate }) => `${id} ${mark(certificate.pem)}`);
  }

  isOld(): void {
    const { before, oldCa } = this.#materials;
    const { path } = this.server.definition;
    assert.deepEqual(this.served(), [mark(before.pem)]);
    assert.deepEqual(this.trusted(), [`1 ${mark(oldCa.pem)}`]);
    assert.equal(readFileSync(path, 'utf8'), pairOf(before));
    assert.ok(existsSync(join(this.truststore.definition.path, '1.pem')));
    assert.ok(!existsSync(`${path}.replacement`));
  }

  isNew(): void {
    const { next, newCa } = this.#materials;
    assert.deepEqual(this.served(), [mark(next.pem)]);
    assert.deepEqual(this.trusted(), [`2 ${mark(newCa.pem)}`]);
    assert.equal(readFileSync(this.server.definition.path, 'utf8'), pairOf(next));
  }
}
