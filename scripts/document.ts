// npm run document: writes the pages of docs/ that follow from the code, so that they cannot drift apart.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeProgram } from '../src/bin/bmc-certs.ts';
import { CertError, type CertErrorCode, certErrors, certWarnings } from '../src/core/cert-error.ts';
import { accountsInterface } from '../src/dbus/accounts/accounts-interface.ts';
import { extensionInterfaces } from '../src/dbus/certs/extension-interfaces.ts';
import { endpointInterface, endpointsInterface } from '../src/dbus/endpoints/interfaces.ts';
import { enrolmentInterface } from '../src/dbus/enrolment/enrolment-interface.ts';
import { gnoiInterface } from '../src/dbus/gnoi-service/gnoi-interface.ts';
import { netconfInterface } from '../src/dbus/netconf-service/netconf-interface.ts';
import { toErrorReply } from '../src/dbus/server/error-names.ts';
import { type InterfaceSpec, signatureOf } from '../src/dbus/server/interface.ts';
import { bundleInterface } from '../src/dbus/trust-bundle/bundle-interface.ts';
import { mapTypes } from '../src/identity/peer-certificates/map-types.ts';
import type { MetricSpec } from '../src/metrics/exposition.ts';
import { managerMetrics } from '../src/metrics/manager-metrics.ts';
import { manPage } from '../src/operator/framework/man-page.ts';
import { referencePage } from '../src/operator/framework/reference-page.ts';
import { toRedfishError } from '../src/redfish/certificates/errors.ts';
import {
  type OemAction,
  type Member as OemMember,
  oemActions,
  oemEnumerations,
  oemTypes,
} from '../src/redfish/oem/declaration.ts';
import { bundleFaults } from '../src/trust-bundle/bundle-fault.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Of the last release that changed the commands, which man(7) wants at the foot of the page. */
const manPageDate = '2026-11-29';

interface Member {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly restart?: readonly string[];
  readonly items?: Member;
  readonly properties?: Readonly<Record<string, Member>>;
}

/** The generated pages by their paths below the clone. */
export function pages(): Readonly<Record<string, string>> {
  const program = makeProgram();
  return {
    'docs/bmc-certs.1': manPage(program, manPageDate),
    'docs/bmc-certs.md': referencePage(program),
    'docs/client-certificates.md': clientCertificatesPage(),
    'docs/configuration.md': configurationPage(),
    'docs/errors.md': errorsPage(),
    'docs/extensions.md': extensionsPage(),
    'docs/metrics.md': metricsPage(),
    'docs/redfish-extensions.md': redfishExtensionsPage(),
  };
}

/** The page is written by hand but for its table. */
function clientCertificatesPage(): string {
  const text = readFileSync(join(root, 'docs', 'client-certificates.md'), 'utf8');
  const rows = Object.entries(mapTypes).map(
    ([name, { source, about }]) => `| \`${name}\` | ${source} | ${about} |`,
  );
  const table = ['| map type | from | the user is |', '| --- | --- | --- |', ...rows].join('\n');
  return between(text, 'map types', table);
}

/** Puts what is generated between its two marks. */
function between(text: string, mark: string, generated: string): string {
  return text.replace(
    new RegExp(`(<!-- ${mark} -->\\n).*?(<!-- end of ${mark} -->)`, 's'),
    (_all, begin: string, end: string) => `${begin}${generated}\n${end}`,
  );
}

/** The page is written by hand but for its tables. */
function redfishExtensionsPage(): string {
  const text = readFileSync(join(root, 'docs', 'redfish-extensions.md'), 'utf8');
  const actions = Object.entries<OemAction>(oemActions).map(
    ([name, { about, parameters }]) =>
      `### ${name}\n\n${about}\n\n${oemTable('parameter', parameters)}\n`,
  );
  const types = Object.entries(oemTypes).map(
    ([name, members]) => `### ${name}\n\n${oemTable('property', members)}\n`,
  );
  const withActions = between(text, 'actions', `\n${actions.join('\n')}`);
  return between(withActions, 'types', `\n${types.join('\n')}`);
}

function oemTable(what: string, members: Readonly<Record<string, OemMember>>): string {
  const rows = Object.entries(members).map(([name, { kind, about, ...other }]) => {
    const { required, nullable, default: absent } = other;
    const rules = [
      ...(nullable ? ['or null'] : []),
      ...(required ? ['required'] : []),
      ...(absent === undefined ? [] : [`\`${absent}\` unless given`]),
    ];
    return `| \`${name}\` | ${[oemKind(kind), ...rules].join(', ')} | ${about} |`;
  });
  return [`| ${what} | type | meaning |`, '| --- | --- | --- |', ...rows].join('\n');
}

function oemKind(kind: OemMember['kind']): string {
  if (kind === 'String') return 'string';
  if (kind === 'Int64') return 'integer';
  if (kind === 'DateTimeOffset') return 'date and time';
  if ('list' in kind) return `list of ${oemKind(kind.list)}`;
  if ('link' in kind) return `link to a ${kind.link}`;
  return 'object' in kind ? kind.object : oemEnumerations[kind.enumeration].join(', ');
}

function configurationPage(): string {
  const path = join(root, 'schemas', 'configuration.json');
  const schema: Member & { definitions: Record<string, Member> } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  const endpoint = schema.definitions.endpoint ?? {};
  return `# Configuration

${schema.description} It is one JSON document;
\`systemd/configuration.json\` is an example. What is not given has its default. A document that is not
valid is refused with line, column and path of each bad member.

SIGHUP (\`systemctl reload\`) has a program read the file again, see
[how-to/run.md](how-to/run.md#change-a-setting). The last column names the programs that must be restarted before
they count a change; all others count it at the next reload.

| member | type | default | meaning | restart for a change |
| --- | --- | --- | --- | --- |
${[...rows('', schema, schema.restart), ...rows('endpoints[]', endpoint)].join('\n')}
`;
}

function rows(
  prefix: string,
  { properties = {} }: Member,
  inherited: readonly string[] = [],
): string[] {
  return Object.entries(properties).flatMap(([name, member]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const restart = member.restart ?? inherited;
    if (member.properties) return rows(path, member, restart);
    const row = [
      `\`${path}\``,
      typeOf(member),
      defaultOf(member),
      member.description,
      restart.join(', '),
    ];
    const below = member.items?.properties ? rows(`${path}[]`, member.items, restart) : [];
    return [`| ${row.join(' | ')} |`, ...below];
  });
}

function typeOf({ type, enum: values, minimum, maximum }: Member): string {
  if (values) return values.join(', ');
  return minimum === undefined ? `${type}` : `${type}, ${minimum} to ${maximum}`;
}

function defaultOf({ default: value }: Member): string {
  if (value === undefined) return '';
  const [first] = Array.isArray(value) ? value : [];
  if (typeof first === 'object' && Object.keys(first).length > 0) return "OpenBMC's three";
  return `\`${JSON.stringify(value)}\``;
}

function errorsPage(): string {
  const codes = Object.keys(certErrors) as CertErrorCode[];
  const lines = codes.map((code) => {
    const { name } = toErrorReply(new CertError(code, ''));
    const { status, messages } = toRedfishError(new CertError(code, ''));
    return `| \`${code}\` | ${certErrors[code]} | \`${name}\` | ${status} ${messages[0]?.id} |`;
  });
  return `# Errors

Every refusal and failure has a code. On D-Bus it begins the text of the error, after upstream's error name;
in Redfish it begins a second message, \`BmcCertificates.1.0.Reason\`, and stands in the Resolution of the first. As a parameter
of an action, PropertyValueError becomes ActionParameterValueError.

| code | meaning | D-Bus error | Redfish |
| --- | --- | --- | --- |
${lines.join('\n')}

A certificate that is accepted may have warnings: it stays in service although some of its peers will refuse it. Beside the
codes above, of checks that a certificate in service would not pass any more, these are

| code | meaning |
| --- | --- |
${Object.entries(certWarnings)
  .map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
  .join('\n')}

A signed bundle of CAs that is not taken, or not loaded into a group, leaves what is in force as it is. Why is one of

| code | meaning |
| --- | --- |
${Object.entries(bundleFaults)
  .map(([code, meaning]) => `| \`${code}\` | ${meaning} |`)
  .join('\n')}
`;
}

function extensionsPage(): string {
  return `# Our interfaces on D-Bus

All interfaces of OpenBMC are served as they are there. What we add stands in interfaces of its own, so that no interface of
OpenBMC has an unexpected member. Methods may be called by root, by the user of the manager, and by the users and groups of
\`access\` in the [configuration](configuration.md) names.

${[...extensionInterfaces, endpointInterface, endpointsInterface, accountsInterface, enrolmentInterface, gnoiInterface, netconfInterface, bundleInterface].map(extensionSection).join('\n')}`;
}

function extensionSection({
  name,
  about,
  methods,
  properties,
  signals = {},
}: InterfaceSpec): string {
  const list = (names: Readonly<Record<string, string>>) =>
    Object.entries(names)
      .map(([argument, type]) => `${type} ${argument}`)
      .join(', ');
  const lines = [
    ...Object.entries(methods).map(([method, { in: inputs, out }]) => {
      const result = Object.keys(out).length > 0 ? ` → ${list(out)}` : '';
      const shown = Object.keys(inputs).length > 6 ? signatureOf(inputs) : list(inputs);
      return `- method \`${method}(${shown})${result}\``;
    }),
    ...Object.entries(properties).map(([property, type]) => `- property \`${type} ${property}\``),
    ...Object.entries(signals).map(([signal, names]) => `- signal \`${signal}(${list(names)})\``),
  ];
  return `## \`${name}\`\n\n${wrap(about ?? '')}\n\n${lines.join('\n')}\n`;
}

function metricsPage(): string {
  const all: readonly MetricSpec[] = Object.values(managerMetrics);
  return `# Metrics

The certificate manager writes these metrics to \`metrics.textfile\` of the [configuration](configuration.md), for the textfile
collector of Prometheus' node_exporter. [how-to/monitor.md](how-to/monitor.md) sets it up, and has the alerts.

Times are absolute, so that a certificate goes on to be overdue when the manager is gone. The counters begin at 0 at each start of the
manager, with every outcome and every reason, so that \`increase()\` sees the first of them. Failures do not have the operation, and
operations not the reason, which would be a thousand series for each endpoint; the audit in the log has both of each call. Names of
certificates are cut off after 128 characters, and characters that are not shown become U+FFFD. Of an endpoint with more certificates
than \`metrics.certificates\` those that expire first are told of one by one. A call at the
object of all endpoints of run time, such as \`Add\`, is in the audit alone.

| metric | type | meaning | labels |
| --- | --- | --- | --- |
${all.map(metricRow).join('\n')}

| label | of | says |
| --- | --- | --- |
${labelRows(all).join('\n')}
`;
}

function metricRow({ name, type, help, labels }: MetricSpec): string {
  const names = Object.keys(labels).map((label) => `\`${label}\``);
  return `| \`${name}\` | ${type} | ${help} | ${names.join(', ')} |`;
}

/** A label means one thing in several metrics, or different things. */
function labelRows(all: readonly MetricSpec[]): readonly string[] {
  const metrics = new Map<string, string[]>();
  for (const { name, labels } of all)
    for (const [label, about] of Object.entries(labels)) {
      const key = `| \`${label}\` | … | ${about} |`;
      metrics.set(key, [
        ...(metrics.get(key) ?? []),
        `\`${name.replace('bmc_certificate_', '')}\``,
      ]);
    }
  return [...metrics].map(([row, names]) =>
    row.replace('…', names.length > 3 ? 'many' : names.join(', ')),
  );
}

function wrap(text: string): string {
  return text.replace(/(.{1,108})(?: |$)/g, '$1\n').trimEnd();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(pages())) writeFileSync(join(root, path), text);
}
