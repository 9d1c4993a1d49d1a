import {
  type Member,
  type Members,
  type OemAction,
  oemEnumerations,
  oemName,
  oemTypes,
  oemVersion,
  serviceActions,
  truststoreActions,
} from './declaration.ts';

const dmtf = 'http://redfish.dmtf.org/schemas/v1';
const oasis = 'http://docs.oasis-open.org/odata/odata/v4.0/errata03/csd01/complete/vocabularies';

/** Types of Redfish that are named here, by file and namespace. */
const references = [
  [`${oasis}/Org.OData.Core.V1.xml`, 'Org.OData.Core.V1" Alias="OData'],
  [`${dmtf}/RedfishExtensions_v1.xml`, 'RedfishExtensions.v1_0_0" Alias="Redfish'],
  [`${dmtf}/Resource_v1.xml`, 'Resource'],
  [`${dmtf}/Certificate_v1.xml`, 'Certificate'],
  [`${dmtf}/CertificateCollection_v1.xml`, 'CertificateCollection'],
  [`${dmtf}/CertificateService_v1.xml`, 'CertificateService.v1_0_0'],
] as const;

/** Types that are the `Oem` of a resource; the others are what these are made of. */
const ofResources: readonly string[] = ['CertificateCollection', 'Manager'];

/** The schema of all that is ours, in CSDL (DSP0266, "OData metadata"). */
export function renderCsdl(): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">',
    ...references.flatMap(([uri, namespace]) => [
      `  <edmx:Reference Uri="${uri}">`,
      `    <edmx:Include Namespace="${namespace}"/>`,
      '  </edmx:Reference>',
    ]),
    '  <edmx:DataServices>',
    ...namespace(oemName, [
      ...actionElements(
        serviceActions,
        'CertificateService',
        'CertificateService.v1_0_0.OemActions',
      ),
      ...actionElements(truststoreActions, 'CertificateCollection', nameOf('OemActions')),
    ]),
    ...namespace(`${oemName}.${oemVersion}`, [
      ...Object.entries(oemTypes).flatMap(([name, members]) => typeElement(name, members)),
      ...element('ComplexType Name="Actions"', [
        `<Property Name="Oem" Type="${nameOf('OemActions')}" Nullable="false"/>`,
      ]),
      ...element('ComplexType Name="OemActions"', [
        '<Annotation Term="OData.AdditionalProperties" Bool="true"/>',
      ]),
      ...Object.entries(oemEnumerations).flatMap(([name, values]) =>
        element(
          `EnumType Name="${name}"`,
          values.map((value) => `<Member Name="${value}"/>`),
        ),
      ),
    ]),
    '  </edmx:DataServices>',
    '</edmx:Edmx>',
    '',
  ].join('\n');
}

function namespace(name: string, content: readonly string[]): readonly string[] {
  const head = `Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="${name}"`;
  const owner = '<Annotation Term="Redfish.OwningEntity" String="bmc-certificate-manager"/>';
  return element(head, [owner, ...content]).map((line) => `    ${line}`);
}

function actionElements(
  actions: Readonly<Record<string, OemAction>>,
  resource: string,
  boundTo: string,
): readonly string[] {
  return Object.entries(actions).flatMap(([name, { about, parameters, returns }]) =>
    element(`Action Name="${name}" IsBound="true"`, [
      `<Parameter Name="${resource}" Type="${boundTo}"/>`,
      ...Object.entries(parameters).flatMap(([parameter, member]) =>
        element(`Parameter ${typed(parameter, member, member.required === true)}`, [
          described(member.about),
        ]),
      ),
      ...(returns === undefined
        ? []
        : [`<ReturnType Type="${nameOf(returns)}" Nullable="false"/>`]),
      described(about),
    ]),
  );
}

function typeElement(name: string, members: Members): readonly string[] {
  const base = ofResources.includes(name) ? ' BaseType="Resource.OemObject"' : '';
  return element(
    `ComplexType Name="${name}"${base}`,
    Object.entries(members).flatMap(([property, member]) => {
      const tag = isLink(member) ? 'NavigationProperty' : 'Property';
      return element(`${tag} ${typed(property, member, member.nullable !== true)}`, [
        '<Annotation Term="OData.Permissions" EnumMember="OData.Permission/Read"/>',
        described(member.about),
      ]);
    }),
  );
}

function isLink({ kind }: Member): boolean {
  if (typeof kind === 'string') return false;
  return 'list' in kind ? isLink({ kind: kind.list, about: '' }) : 'link' in kind;
}

function typed(name: string, { kind }: Member, isThere: boolean): string {
  return `Name="${name}" Type="${typeName(kind)}"${isThere ? ' Nullable="false"' : ''}`;
}

function typeName(kind: Member['kind']): string {
  if (typeof kind === 'string') return `Edm.${kind}`;
  if ('list' in kind) return `Collection(${typeName(kind.list)})`;
  if ('link' in kind) return `${kind.link}.${kind.link}`;
  return nameOf('object' in kind ? kind.object : kind.enumeration);
}

function nameOf(type: string): string {
  return `${oemName}.${oemVersion}.${type}`;
}

function described(text: string): string {
  return `<Annotation Term="OData.Description" String="${text}"/>`;
}

function element(head: string, content: readonly string[]): readonly string[] {
  const [name = ''] = head.split(' ');
  return [`<${head}>`, ...content.map((line) => `  ${line}`), `</${name}>`];
}
