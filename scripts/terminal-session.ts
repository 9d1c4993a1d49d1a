// A terminal session as an asciicast (asciinema, version 2) and as an animated SVG.

/** What a user types, and what the terminal answers. */
export interface Step {
  /** One or more lines, each with its line break. */
  readonly commands: string;
  readonly output: string;
}

const columns = 120;
const rows = 30;
const prompt = '$ ';
/** Time to read the commands before their output appears, and the output before the next commands, in seconds. */
const readingSeconds = { commands: 1.5, output: 2.5 };
const font = { size: 13, width: 7.83, height: 18 };

/** The session as it appears on the terminal: each text, and for how many seconds it is the last. */
function toFrames(steps: readonly Step[]): { readonly text: string; readonly seconds: number }[] {
  return steps.flatMap(({ commands, output }) => [
    { text: `${prompt}${commands}`, seconds: readingSeconds.commands },
    ...(output === '' ? [] : [{ text: output, seconds: readingSeconds.output }]),
  ]);
}

/** https://docs.asciinema.org/manual/asciicast/v2/ */
export function toAsciicast(steps: readonly Step[]): string {
  const header = { version: 2, width: columns, height: rows, title: 'bmc-certificate-manager' };
  let time = 0;
  const events = toFrames(steps).map(({ text, seconds }) => {
    const event = [time, 'o', text.replaceAll('\n', '\r\n')];
    time += seconds;
    return event;
  });
  return [header, ...events].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Frame after frame, without end; a viewer that knows no animation shows the last frame. */
export function toSvg(steps: readonly Step[]): string {
  const frames = toFrames(steps);
  const total = frames.reduce((sum, { seconds }) => sum + seconds, 0);
  const screen: Line[] = [];
  let start = 0;
  const groups = frames.map(({ text, seconds }, at) => {
    screen.push(...wrap(text));
    const keyTimes = [0, start / total, (start + seconds) / total].map((part) => part.toFixed(4));
    start += seconds;
    const shown = screen.slice(-rows).map(toText).join('');
    const visibility = at === frames.length - 1 ? 'visible' : 'hidden';
    const animate = `<animate attributeName="visibility" calcMode="discrete" dur="${total}s" repeatCount="indefinite" values="hidden;visible;hidden" keyTimes="${keyTimes.join(';')}"/>`;
    return `<g visibility="${visibility}">${animate}${shown}</g>\n`;
  });
  const width = Math.ceil(columns * font.width) + 20;
  const height = rows * font.height + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<style>text { font: ${font.size}px monospace; fill: #d0d0d0; white-space: pre } .command { fill: #ffffff; font-weight: bold }</style>
<rect width="100%" height="100%" rx="6" fill="#1d1f21"/>
${groups.join('')}</svg>
`;
}

interface Line {
  readonly text: string;
  readonly isCommand: boolean;
}

function wrap(text: string): Line[] {
  const isCommand = text.startsWith(prompt);
  const lines = text.trimEnd().split('\n');
  const parts = lines.flatMap((line) => line.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? ['']);
  return parts.map((part) => ({ text: part, isCommand }));
}

function toText({ text, isCommand }: Line, row: number): string {
  const y = 10 + (row + 0.8) * font.height;
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="10" y="${y.toFixed(1)}"${isCommand ? ' class="command"' : ''}>${escaped}</text>`;
}
