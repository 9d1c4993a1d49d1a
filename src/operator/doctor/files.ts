import { lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import { enforce, pairChecks } from '../../manager/checks/checks.ts';
import { EndpointDirectory } from '../../manager/run-time/endpoint-directory.ts';
import { runTimePrefix } from '../../manager/run-time/endpoint-id.ts';
import type { Configuration } from '../../platform/configuration.ts';
import { codeOf } from '../../storage/io-errors.ts';
import { readRegularFileSync } from '../../storage/regular-file.ts';
import { readCertificate } from '../../x509/certificate.ts';
import { isKeyBlock, readPrivateKey } from '../../x509/keys.ts';
import { parsePem } from '../../x509/pem.ts';
import { describeFailure } from '../failure.ts';
import { nameOf } from '../targets.ts';
import { type Examination, type Found, fault } from './finding.ts';

type Endpoint = Pick<Configuration['endpoints'][number], 'type' | 'name' | 'path'>;

/** Whether the files are what the manager publishes, and other users may not change them. */
export const filesExamination: Examination = {
  check: 'files',
  reach: 'device',
  good: 'files, keys and permissions are as they should be',
  async examine({ manager: { client }, configuration }) {
    if (!configuration) {
      const text = 'the configuration cannot be read, so no file is examined';
      const next = 'run bmc-certs as root, and name the configuration with --config';
      return [{ where: 'device', verdict: 'skipped', text, next }];
    }
    const { directory } = configuration.runTimeEndpoints;
    const files = new EndpointDirectory(directory);
    const ofRunTime = client.runTimeEndpoints().map(({ type, name }) => {
      return { type, name, path: files.pathOf({ type, name: name.replace(runTimePrefix, '') }) };
    });
    const all = [...configuration.endpoints, ...ofRunTime];
    return all.flatMap((endpoint) => faultsOf(endpoint, client));
  },
};

function faultsOf(endpoint: Endpoint, client: CertificateClient): readonly Found[] {
  const { path, type } = endpoint;
  if (!client.isAvailable(endpoint)) return [];
  try {
    const faults = type === 'authority' ? storeFaults(path) : contentFaults(endpoint, client);
    return [...directoryFaults(path), ...faults];
  } catch (error) {
    const isEmpty = codeOf(error) === 'ENOENT' && client.list(endpoint).length === 0;
    if (isEmpty) return [];
    if (codeOf(error) !== 'EACCES') {
      const next = `put a certificate there with bmc-certs replace ${nameOf(endpoint)}`;
      return [fault(path, describeFailure(error).message, next)];
    }
    const text = 'this user may not read it';
    return [{ where: path, verdict: 'skipped', text, next: 'run bmc-certs as root' }];
  }
}

/** A user who may write to the directory may put another file there; the manager mends the mode of the file itself. */
function directoryFaults(path: string): readonly Found[] {
  const directory = dirname(path);
  const mode = statSync(directory).mode & 0o7777;
  if ((mode & 0o022) === 0) return [];
  const text = `its mode is ${mode.toString(8)}, so others may put files of theirs there`;
  return [fault(directory, text, `chmod go-w ${directory}`)];
}

function contentFaults(endpoint: Endpoint, client: CertificateClient): readonly Found[] {
  const { path } = endpoint;
  const blocks = parsePem(readRegularFileSync(path));
  const certificate = blocks.find(({ label }) => label.endsWith('CERTIFICATE'));
  const key = blocks.find(isKeyBlock);
  const next = `put a certificate with its key there: bmc-certs replace ${nameOf(endpoint)} CERTIFICATE KEY`;
  if (!certificate || !key) {
    const text = `the file has no ${certificate ? 'private key' : 'certificate'}`;
    return [fault(path, text, next)];
  }
  const leaf = readCertificate(certificate.der);
  try {
    enforce(pairChecks, { leaf, chain: [], key: readPrivateKey(key) });
  } catch (error) {
    return [fault(path, describeFailure(error).message, next)];
  }
  const [published] = client.list(endpoint);
  if (published?.certificate.fingerprint === leaf.fingerprint) return [];
  const text = 'the manager publishes another certificate than the file holds';
  const restart = 'wait a minute; if it stays so, look into the log of the manager';
  return [fault(path, text, restart)];
}

/** The manager switches a link from one generation of the directory to the next. */
function storeFaults(path: string): readonly Found[] {
  if (lstatSync(path).isSymbolicLink() && statSync(path).isDirectory()) return [];
  const text = 'it is no link to a directory that the manager made';
  const next = 'move it away and restart bmc-certificate-manager.service';
  return [fault(path, text, next)];
}
