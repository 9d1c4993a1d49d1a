import { command, type Program } from '../../../src/operator/framework/command.ts';
import { CommandError } from '../../../src/operator/framework/exit-status.ts';
import { type RunOptions, runProgram } from '../../../src/operator/framework/run.ts';
import {
  choiceValue,
  fileValue,
  integerValue,
  textValue,
} from '../../../src/operator/framework/value-kind.ts';

interface Context {
  readonly calls: unknown[];
}

const declare = command<Context>();

const paint = declare({
  name: 'paint',
  summary: 'paint things',
  arguments: {
    thing: { kind: textValue('THING'), about: 'what to paint' },
    others: { kind: fileValue, about: 'more of them', optional: true, multiple: true },
  },
  options: {
    colour: { kind: choiceValue('COLOUR', ['red', 'blue']), about: 'the colour', default: 'red' },
    coats: { kind: integerValue('N', 1, 9), short: 'n', about: 'how often' },
    brush: { kind: textValue('BRUSH'), about: 'with what', required: true },
    label: { kind: textValue('LABEL'), about: 'what to write on it', multiple: true },
    dry: { about: 'wait until it is dry' },
  },
  fields: { thing: { type: 'text', title: 'Thing', about: 'what was painted' } },
  examples: [{ command: 'paint wall --brush wide', about: 'A wall' }],
  async run({ args, options, context }) {
    context.calls.push({ args, options });
    return { data: { thing: args.thing }, notes: ['It drips.'] };
  },
});

const showFields = {
  name: { type: 'text', title: 'Name', about: 'its name' },
  size: { type: 'number', optional: true, title: 'Size', about: 'its size' },
  tags: { type: 'texts', title: 'Tags', about: 'its tags' },
  state: { type: 'text', title: 'State', about: 'good or not', tones: { Bad: 'bad' } },
  born: { type: 'time', about: 'in JSON alone' },
} as const;

const rows = [
  { name: 'one', size: 1, tags: ['a', 'b\u001b'], state: 'Bad', born: new Date(0) },
  { name: 'second\u001b[31m', size: null, tags: [], state: 'Good', born: new Date(0) },
];

const show = declare({
  name: 'list',
  summary: 'list things',
  fields: showFields,
  examples: [],
  run: async () => ({ data: rows }),
});

const probe = declare({
  name: 'probe',
  summary: 'judge things',
  arguments: { thing: { kind: textValue('THING'), about: 'what to judge' } },
  fields: {},
  statuses: { 0: 'fine', 3: 'unknown' },
  onError: { status: 3, prefix: 'UNKNOWN - ' },
  examples: [],
  async run({ args }) {
    throw new CommandError('not-found', `There is no ${args.thing}.`);
  },
});

const follow = declare({
  name: 'shelf follow',
  summary: 'print things',
  fields: showFields,
  examples: [],
  async run({ emit }) {
    for (const row of rows) emit(row, `${row.name} is ${row.state}`);
    return { status: 'not-due' };
  },
});

const drop = declare({
  name: 'shelf drop',
  summary: 'fail',
  fields: {},
  examples: [],
  run: async () => {
    throw new Error('broken');
  },
});

export const sampleProgram: Program<Context> = {
  name: 'things',
  version: '1.2.3',
  summary: 'manage things',
  about: ['It is about `things`.'],
  groups: [
    { title: 'Things', commands: [paint, show, probe] },
    { title: 'Shelves', commands: [follow, drop] },
  ],
  options: {
    room: { kind: textValue('ROOM'), about: 'where' },
    json: { about: 'print JSON' },
    help: { short: 'h', about: 'tell' },
    version: { about: 'print the version' },
  },
  environment: { THINGS: 'Where they are.' },
  files: {},
};

/** Runs a command line of the sample. */
export async function runSample(words: readonly string[], isColoured = false) {
  const calls: unknown[] = [];
  let out = '';
  let err = '';
  const options: RunOptions<Context> = {
    program: sampleProgram,
    terminal: {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      isColoured,
    },
    makeContext: () => ({ calls, close: async () => undefined }),
    describeError: (error) =>
      error instanceof CommandError ? error : new CommandError('failed', 'It failed.'),
  };
  const status = await runProgram(options, words);
  return { status, out, err, calls };
}
