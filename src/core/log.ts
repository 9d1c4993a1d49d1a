import winston from 'winston';
import { boundedOutput } from './log-output.ts';

export type Fields = Readonly<Record<string, string | number | boolean>>;

export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

/** What reports events and nothing for debugging; one line for each event. */
export type EventLog = Omit<Log, 'debug'>;

/** Priorities of syslog that the journal reads from the beginning of a line (sd-daemon(3)). */
const priorities: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

const colours: Readonly<Record<string, string>> = {
  error: '31',
  warn: '33',
  info: '36',
  debug: '90',
};

/** Bytes that may wait for a reader of the log who does not read. */
const maxUnread = 1024 * 1024;

/**
 * A log on standard error, one line for each event: `message key=value …`, by the grammar in docs/operations.md. Under
 * systemd each line begins with its priority, elsewhere with the time, the level and the program. How many lines an hour the
 * log takes is the reader's to say, as journald does (RateLimitIntervalSec=).
 */
export function makeLog(program: string, level = process.env.LOG_LEVEL ?? 'info'): Log {
  const underJournal = process.env.JOURNAL_STREAM !== undefined;
  const coloured = process.stderr.isTTY && process.env.NO_COLOR === undefined;
  const render = (level: string, text: string) => {
    if (underJournal) return `<${priorities[level] ?? 6}>${text}`;
    const name = level.padEnd(5);
    const shown = coloured ? `\u001b[${colours[level] ?? '0'}m${name}\u001b[0m` : name;
    return `${new Date().toISOString()} ${shown} ${program}: ${text}`;
  };
  const line = winston.format.printf(({ level, message, fields }) =>
    render(level, [message, ...describe(fields as Fields | undefined)].join(' ')),
  );
  const stream = boundedOutput(
    process.stderr,
    maxUnread,
    (lost) => `${render('warn', `the log was not read lines=${lost}`)}\n`,
  );
  const logger = winston.createLogger({
    level,
    format: line,
    transports: [new winston.transports.Stream({ stream })],
  });
  const write = (level: string) => (message: string, fields?: Fields) => {
    logger.log({ level, message: oneLine(message), fields });
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function describe(fields: Fields = {}): string[] {
  return Object.entries(fields).map(([key, value]) => `${key}=${quoted(String(value))}`);
}

/** Characters of a field that are shown. */
const longestField = 1000;

/** What clients send may stand in a field, so nothing in it can begin a line or hide one. */
function quoted(value: string): string {
  const bounded = value.slice(0, longestField);
  return /^[\w./:@,+-]+$/.test(bounded) ? bounded : escaped(JSON.stringify(bounded));
}

/** What is not seen, or changes how the rest is seen: controls, directions, private and unassigned ones, separators. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

function escaped(text: string): string {
  return text.replace(unprintable, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** Where the fields begin is told by the first `=`, so a message has none. */
function oneLine(message: string): string {
  const line = message.slice(0, longestField).replace(/[\r\n]+/g, ' ');
  return escaped(line).replaceAll('=', '\\u003d');
}
