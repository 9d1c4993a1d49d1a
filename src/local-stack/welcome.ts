import type { FirstPassword } from './password.ts';

/** Where everything is. */
export interface Welcome {
  readonly url: string;
  readonly fingerprint: string;
  /** Where the certificate of the service is; `undefined` when the configuration names no endpoint for it. */
  readonly certificateFile: string | undefined;
  readonly bus: string;
  readonly state: string;
  readonly user: string;
  /** Only when it was made just now. */
  readonly password: FirstPassword | undefined;
  /** Host and port of the other services that listen, by their names. */
  readonly edges: ReadonlyMap<string, string>;
}

/** The line for programs that drive the stack; its form is fixed. */
export function readyLine({ url, user, bus, state, edges }: Welcome): string {
  const places = [...edges].map(([name, place]) => ` ${name}=${place}`).join('');
  return `ready url=${url} user=${user} bus=${bus} state=${state}${places}\n`;
}

/** The text for people. */
export function welcomeText(welcome: Welcome): string {
  const { url, fingerprint, certificateFile, user, bus, state } = welcome;
  const password = welcome.password?.text;
  const host = url.slice('https://'.length);
  const rows = [...welcome.edges].map(([name, place]) => `  ${name.padEnd(11)}  ${place}\n`);
  const edges = rows.join('');
  return `
  Redfish      ${url}/redfish/v1
  user         ${user}
  password     ${password ?? '(the one that was set)'}
  certificate  SHA-256 ${fingerprint}
  D-Bus        ${bus}
  files        ${state}
${edges}${password === undefined ? '' : '\n  The password is shown this once; only its hash is kept.\n'}
  Try:
${certificateFile === undefined ? '' : `    ${curlCommand(welcome, certificateFile)}\n`}    busctl --address=${bus} tree xyz.openbmc_project.Certs.Manager.Server.Https
    openssl s_client -connect ${host} </dev/null | openssl x509 -noout -text

  Ctrl-C stops everything.

`;
}

/** Without the password, for which curl asks: other users can read a command line. */
function curlCommand({ url, user }: Welcome, certificateFile: string): string {
  const file = `'${certificateFile.replaceAll("'", "'\\''")}'`;
  return `curl --cacert ${file} -u ${user} ${url}/redfish/v1/CertificateService/CertificateLocations`;
}
