import type { InterfaceSpec, Signature } from './interface.ts';

const head = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
`;

/** The introspection data of an object with these interfaces and these names of direct children. */
export function introspect(specs: readonly InterfaceSpec[], children: readonly string[]): string {
  const nodes = children.map((name) => ` <node name="${name}"/>\n`);
  return `${head}<node>\n${specs.map(describe).join('')}${nodes.join('')}</node>\n`;
}

function describe({ name, methods, properties, signals = {} }: InterfaceSpec): string {
  const lines = [` <interface name="${name}">`];
  for (const [method, { in: inputs, out, privileged }] of Object.entries(methods)) {
    const children = [...args(inputs, 'in'), ...args(out, 'out')];
    if (privileged) {
      children.push('   <annotation name="org.freedesktop.systemd1.Privileged" value="true"/>');
    }
    lines.push(...element('method', method, children));
  }
  for (const [property, type] of Object.entries(properties)) {
    lines.push(`  <property name="${property}" type="${type}" access="read"/>`);
  }
  for (const [signal, names] of Object.entries(signals)) {
    lines.push(...element('signal', signal, args(names)));
  }
  return `${[...lines, ' </interface>'].join('\n')}\n`;
}

function element(tag: string, name: string, children: readonly string[]): string[] {
  if (children.length === 0) return [`  <${tag} name="${name}"/>`];
  return [`  <${tag} name="${name}">`, ...children, `  </${tag}>`];
}

function args(names: Readonly<Record<string, Signature>>, direction?: 'in' | 'out'): string[] {
  const suffix = direction ? ` direction="${direction}"` : '';
  return Object.entries(names).map(
    ([name, type]) => `   <arg name="${name}" type="${type}"${suffix}/>`,
  );
}
