/** One choice of a header such as Accept, and how much the client likes it: 0 is not at all. */
interface Choice {
  readonly name: string;
  readonly quality: number;
}

/** The choices of a header of RFC 9110 §12.4.2, in its order; parameters other than `q` do not matter. */
function parseChoices(header: string): readonly Choice[] {
  return header
    .split(',')
    .map((part) => {
      const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const weight = parameters.map((one) => /^q=([01](?:\.\d{0,3})?)$/.exec(one)?.[1]);
      return { name, quality: Number(weight.find((one) => one !== undefined) ?? 1) };
    })
    .filter(({ name }) => name !== '');
}

/** The quality of the first of `names`, most exact first, that the header has. */
function qualityOf(choices: readonly Choice[], names: readonly string[]): number {
  for (const name of names) {
    const found = choices.find((choice) => choice.name === name);
    if (found) return found.quality;
  }
  return 0;
}

/**
 * Whether a client takes JSON. DSP0266 answers 406 to a client that does not; browsers and every Redfish client
 * end their list with a wildcard or name JSON, so none of them is refused.
 */
export function acceptsJson(accept: string | undefined): boolean {
  const choices = parseChoices(accept ?? '');
  if (choices.length === 0) return true;
  return qualityOf(choices, ['application/json', 'application/*', '*/*']) > 0;
}

/** Whether a client would rather have gzip than the bytes as they are (RFC 9110 §12.5.3). */
export function prefersGzip(acceptEncoding: string | undefined): boolean {
  const choices = parseChoices(acceptEncoding ?? '');
  const gzip = qualityOf(choices, ['gzip', 'x-gzip', '*']);
  const identity = choices.find(({ name }) => name === 'identity')?.quality ?? 0;
  return gzip > 0 && gzip >= identity;
}
