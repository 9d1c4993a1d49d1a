/** Asks the person at the terminal; absent where standard input is no terminal. */
export function terminalConfirm(): ((question: string) => Promise<boolean>) | undefined {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return async (question) => {
    for (;;) {
      stderr.write(question);
      const answer = await readLine();
      if (answer === undefined || /^no?$/i.test(answer)) return false;
      if (/^yes$/i.test(answer)) return true;
    }
  };
}

/** A terminal hands over a line at a time. @returns `undefined` at its end */
function readLine(): Promise<string | undefined> {
  const { stdin } = process;
  return new Promise((resolve) => {
    const finish = (line: string | undefined) => {
      stdin.off('data', take).off('end', end).pause();
      resolve(line);
    };
    const take = (chunk: Buffer) => finish(chunk.toString('utf8').trim());
    const end = () => finish(undefined);
    stdin.on('data', take).on('end', end).resume();
  });
}
