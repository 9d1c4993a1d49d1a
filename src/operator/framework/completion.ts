import { commandsOf, type Options, type Program } from './command.ts';
import type { Completion } from './value-kind.ts';

export const shells = ['bash', 'zsh'] as const;
export type Shell = (typeof shells)[number];

/** A script that completes commands, options and values; zsh runs that of bash. */
export function completionScript(program: Program<never>, shell: Shell): string {
  const script = bashScript(program);
  return shell === 'bash' ? script : zshScript(program.name, script);
}

/** As long as the script, which is read as a whole. */
function bashScript(program: Program<never>): string {
  const { name } = program;
  const fn = functionName(name);
  return `# Completion of ${name} for bash: source it, or put it into /usr/share/bash-completion/completions/${name}

${fn}_offer() {
    local IFS=$' \\t\\n'
    # shellcheck disable=SC2207
    COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

${fn}_files() {
    local IFS=$'\\n'
    compopt -o filenames 2>/dev/null
    # shellcheck disable=SC2207
    COMPREPLY=($(compgen -f -- "$cur"))
}

# Asks the program what there is, where the command line says so far, and without a question to the terminal
${fn}_ask() {
    ${name} "\${given[@]}" "$@" 2>/dev/null </dev/null
}

${fn}() {
    local words=() given=() glued="" at last word
    # bash takes ":" and "=" for words of their own
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word="\${COMP_WORDS[at]}"
        last=$((\${#words[@]} - 1))
        case "$at:$glued:$word" in
        0:*) words+=("$word") ;;
        *::[:=]*) words[last]+="$word" glued=1 ;;
        *:1:*) words[last]+="$word" glued="" ;;
        *) words+=("$word") ;;
        esac
    done
    last=$((\${#words[@]} - 1))
    local cur="\${words[last]}" prev="\${words[last - 1]}" command="" place=0
    COMPREPLY=()
    for ((at = 1; at < last; at++)); do
        word="\${words[at]}"
        case "$word" in
        ${optionsWithValue(program.options).join(' | ')}) given+=("$word" "\${words[++at]}") ;;
        -*) ${fn}_takes_value "$word" && ((at++)) ;;
        *)
            case "$command" in
${groupCases(program)}
            *) if [ -z "$command" ]; then command="$word"; else ((place++)); fi ;;
            esac
            ;;
        esac
    done
    case "$command:$prev" in
${valueCases(program, fn)}
    esac
    case "$command" in
${commandCases(program, fn)}
    esac
}

${fn}_takes_value() {
    case "$1" in
    ${valueOptionsOf(program).join(' | ')}) return 0 ;;
    esac
    return 1
}

complete -F ${fn} ${name}
`;
}

function zshScript(name: string, script: string): string {
  return `#compdef ${name}
# Completion of ${name} for zsh: put it into a directory of $fpath as _${name}, or source it

autoload -U +X bashcompinit && bashcompinit
${script}
# A file of $fpath is run by the first completion itself
[[ "\${funcstack[1]}" != _${name} ]] || _bash_complete -F ${functionName(name)}
`;
}

/** Words that need another one to be a command. */
function groupCases(program: Program<never>): string {
  const groups = new Set(
    commandsOf(program).flatMap(({ name }) => (name.includes(' ') ? [name.split(' ')[0]] : [])),
  );
  return [...groups].map((group) => `            ${group}) command="${group} $word" ;;`).join('\n');
}

/** The value of an option, behind it. */
function valueCases(program: Program<never>, fn: string): string {
  const rows = [
    ...optionCases('*', program.options, fn),
    ...commandsOf(program).flatMap(({ name, options }) => optionCases(`"${name}"`, options, fn)),
  ];
  return rows.join('\n');
}

function optionCases(command: string, options: Options, fn: string): string[] {
  return Object.entries(options).flatMap(([name, { kind }]) =>
    kind ? [`    ${command}:--${name}) ${offer(kind.completion, fn)} return ;;`] : [],
  );
}

function commandCases(program: Program<never>, fn: string): string {
  const all = commandsOf(program);
  const words = [...new Set(all.map(({ name }) => name.split(' ')[0]))];
  const globals = optionNames(program.options);
  const rows = all.map((command) => {
    const { name, arguments: args, options } = command;
    const offered = [...optionNames(options), ...globals].join(' ');
    const places = Object.values(args).map(({ kind, multiple }, at) => {
      return `        ${multiple ? '*' : at}) ${offer(kind.completion, fn)} ;;\n`;
    });
    return `    "${name}")
        case "$cur" in -*) ${fn}_offer "${offered}"; return ;; esac
        case "$place" in
${places.join('')}        esac
        ;;`;
  });
  const groups = words.filter((word) => !all.some(({ name }) => name === word));
  const groupRows = groups.map((group) => {
    const own = all.filter(({ name }) => name.startsWith(`${group} `));
    return `    ${group}) ${fn}_offer "${own.map(({ name }) => name.split(' ')[1]).join(' ')}" ;;`;
  });
  const top = `    "") ${fn}_offer "${[...words, 'help', ...globals].join(' ')}" ;;`;
  return [top, ...groupRows, ...rows].join('\n');
}

function optionNames(options: Options): string[] {
  return Object.keys(options).map((name) => `--${name}`);
}

/** Those of every command come first, and are told apart. */
function valueOptionsOf(program: Program<never>): string[] {
  return [...new Set(commandsOf(program).flatMap(({ options }) => optionsWithValue(options)))];
}

function optionsWithValue(options: Options): string[] {
  return Object.entries(options).flatMap(([name, { kind }]) => (kind ? [`--${name}`] : []));
}

function offer(completion: Completion | undefined, fn: string): string {
  if (completion === undefined) return ':;';
  if (completion === 'files') return `${fn}_files;`;
  if ('ask' in completion) {
    const { ask, keep, files } = completion;
    const filter = keep === undefined ? '' : ` | sed -nE '${keep}' | sort -u`;
    const rest = files ? ` [ \${#COMPREPLY[@]} -gt 0 ] || ${fn}_files;` : '';
    return `${fn}_offer "$(${fn}_ask ${ask}${filter})";${rest}`;
  }
  return `${fn}_offer "${completion.join(' ')}";`;
}

function functionName(name: string): string {
  return `_${name.replaceAll('-', '_')}`;
}
