import type { Expression } from './filter-expression.ts';
import type { Comparison, Operand } from './filter-tokens.ts';

/** Whether a resource is one that the expression asks for; a member that it has not is `null`. */
export function matchesFilter(expression: Expression, resource: object): boolean {
  switch (expression.kind) {
    case 'and':
      return matchesFilter(expression.left, resource) && matchesFilter(expression.right, resource);
    case 'or':
      return matchesFilter(expression.left, resource) || matchesFilter(expression.right, resource);
    case 'not':
      return !matchesFilter(expression.of, resource);
    default:
      return compare(expression.operator, ...comparable(expression, resource));
  }
}

function comparable(
  { left, right }: { readonly left: Operand; readonly right: Operand },
  resource: object,
): [unknown, unknown] {
  const values: [unknown, unknown] = [operandValue(left, resource), operandValue(right, resource)];
  // A date is compared as a time, whatever zones the two are written in
  if (left.kind !== 'date' && right.kind !== 'date') return values;
  return [timeOf(values[0]), timeOf(values[1])];
}

function operandValue(operand: Operand, resource: object): unknown {
  if (operand.kind === 'literal') return operand.value;
  if (operand.kind === 'date') return operand.text;
  return operand.path.reduce<unknown>(
    (at, name) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, name)
        ? Reflect.get(at, name)
        : null,
    resource,
  );
}

function timeOf(value: unknown): number | null {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

function compare(operator: Comparison, left: unknown, right: unknown): boolean {
  if (operator === 'eq') return left === right;
  if (operator === 'ne') return left !== right;
  const isText = typeof left === 'string' && typeof right === 'string';
  const isNumber = typeof left === 'number' && typeof right === 'number';
  if (!isText && !isNumber) return false;
  switch (operator) {
    case 'gt':
      return left > right;
    case 'ge':
      return left >= right;
    case 'lt':
      return left < right;
    default:
      return left <= right;
  }
}
