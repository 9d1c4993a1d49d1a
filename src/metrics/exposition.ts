/** A metric as it is declared: the lines of a textfile and the page of documentation follow from it. */
export interface MetricSpec {
  /** As "Metric and label naming" of the documentation of Prometheus wants it. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** What each label says. */
  readonly labels: Readonly<Record<string, string>>;
}

export type MetricSpecs = Readonly<Record<string, MetricSpec>>;

/** A value, with one value for each label of its metric. */
export interface Sample<Label extends string = string> {
  readonly labels: Readonly<Record<Label, string>>;
  readonly value: number;
}

/** Samples of every metric that is declared, and of no others. */
export type SamplesOf<M extends MetricSpecs> = {
  readonly [Name in keyof M]: readonly Sample<keyof M[Name]['labels'] & string>[];
};

/** The text format of Prometheus ("Exposition formats", version 0.0.4). A metric without samples has no lines. */
export function exposition<M extends MetricSpecs>(metrics: M, samples: SamplesOf<M>): string {
  return Object.entries(metrics)
    .flatMap(([key, spec]) => linesOf(spec, samples[key] ?? []))
    .map((line) => `${line}\n`)
    .join('');
}

function linesOf({ name, type, help }: MetricSpec, samples: readonly Sample[]): readonly string[] {
  if (samples.length === 0) return [];
  const head = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
  return [...head, ...samples.map(({ labels, value }) => `${name}${labelsOf(labels)} ${value}`)];
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const all = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`,
  );
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
