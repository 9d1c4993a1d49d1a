import type { Expression } from '../../../src/redfish/query/filter-expression.ts';
import type { Operand } from '../../../src/redfish/query/filter-tokens.ts';

/** An expression as a client would write it: what `parseFilter` reads back. */
export function printFilter(expression: Expression): string {
  switch (expression.kind) {
    case 'compare':
      return [
        printOperand(expression.left),
        expression.operator,
        printOperand(expression.right),
      ].join(' ');
    case 'not':
      return `not (${printFilter(expression.of)})`;
    default:
      return `(${printFilter(expression.left)}) ${expression.kind} (${printFilter(expression.right)})`;
  }
}

function printOperand(operand: Operand): string {
  if (operand.kind === 'member') return operand.path.join('/');
  if (operand.kind === 'date') return operand.text;
  const { value } = operand;
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}
