/** @throws for a file with a byte that is not ASCII */
export function mustBeAscii(file: string): Promise<void>;
