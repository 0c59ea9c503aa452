import type { CodeAction, Position } from '../language/ast.js'
import { ScriptError } from '../language/source.js'
import {
  type BinaryOperator,
  type Comparison,
  type PythonExpression,
  type PythonStatement,
  parsePython,
} from './python.js'
import { Code } from './python-tokens.js'
import {
  binary,
  call,
  isTrue,
  negate,
  PythonTypeError,
  type PythonValue,
  pythonCompare,
  pythonEquals,
  repr,
  str,
  typeName,
} from './python-values.js'

export type { PythonValue } from './python-values.js'

/** Why code of a script failed, in Python's words. */
export type CodeErrorKind = 'AssertionError' | 'NameError' | 'TypeError' | 'ValueError' | 'ZeroDivisionError'

/** Code of a script that ran and failed. Code that could not be read is a plain ScriptError. */
export class CodeError extends ScriptError {
  readonly kind: CodeErrorKind

  constructor(file: string, position: Position, kind: CodeErrorKind, reason: string) {
    super(file, position, reason)
    this.name = 'CodeError'
    this.kind = kind
  }
}

/** What the code blocks of one script share: their variables, and what they printed (one string a line). */
export interface Environment {
  readonly variables: Map<string, PythonValue>
  readonly output: string[]
}

export function createEnvironment(): Environment {
  return { variables: new Map(), output: [] }
}

/** Values for names in code. A whole number is a Python int, any other number a float. */
export type Names = ReadonlyMap<string, NameValue> | Readonly<Record<string, NameValue>>
export type NameValue = number | bigint | string | boolean | null

/**
 * Runs one `%{ … }%`. As in packetdrill, `names` (TCP_INFO of the moment when the line was reached, and constants) become
 * variables first; variables stay for the blocks after.
 *
 * @throws CodeError for a failed assertion, an unknown name and other errors of the code
 * @throws ScriptError for code that cannot be read
 */
export function evaluate(file: string, block: CodeAction, names: Names, environment: Environment): void {
  const code = new Code(file, block)
  const statements = parsePython(code)
  const given: Iterable<readonly [string, NameValue]> = isMap(names) ? names : Object.entries(names)
  for (const [name, value] of given) environment.variables.set(name, fromName(value))
  new Evaluator(code, environment).run(statements)
}

function isMap(names: Names): names is ReadonlyMap<string, NameValue> {
  return names instanceof Map
}

function fromName(value: NameValue): PythonValue {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
}

class Evaluator {
  readonly #code: Code
  readonly #environment: Environment

  constructor(code: Code, environment: Environment) {
    this.#code = code
    this.#environment = environment
  }

  run(statements: readonly PythonStatement[]): void {
    for (const statement of statements) this.#statement(statement)
  }

  #statement(statement: PythonStatement): void {
    const { variables } = this.#environment
    switch (statement.kind) {
      case 'pass':
        return
      case 'expression':
        this.#value(statement.value)
        return
      case 'assert':
        if (!isTrue(this.#value(statement.test))) throw this.#assertionError(statement.test, statement.message)
        return
      case 'assign': {
        const value = this.#value(statement.value)
        for (const [at, names] of statement.targets.entries()) {
          if (!statement.unpack[at]) variables.set(names[0]!, value)
          else this.#unpack(names, value, statement.at)
        }
        return
      }
      case 'augment': {
        const old = this.#lookUp(statement.target, statement.at)
        variables.set(statement.target, this.#binary(statement.operator, old, statement.value, statement.at))
        return
      }
      case 'if': {
        const branch = statement.branches.find(({ test }) => isTrue(this.#value(test)))
        this.run(branch === undefined ? statement.otherwise : branch.body)
        return
      }
    }
  }

  #unpack(names: readonly string[], value: PythonValue, at: number): void {
    const items = typeof value === 'object' && value !== null ? value.items : null
    if (items === null) throw this.#error(at, 'TypeError', `cannot unpack a value of type ${typeName(value)}`)
    if (items.length !== names.length) {
      throw this.#error(at, 'ValueError', `expected ${names.length} values to unpack, found ${items.length}`)
    }
    for (const [index, name] of names.entries()) this.#environment.variables.set(name, items[index]!)
  }

  #value(expression: PythonExpression): PythonValue {
    switch (expression.kind) {
      case 'integer':
      case 'float':
      case 'string':
      case 'constant':
        return expression.value
      case 'name':
        return this.#lookUp(expression.name, expression.at)
      case 'tuple':
      case 'list':
        return { kind: expression.kind, items: expression.items.map((item) => this.#value(item)) }
      case 'conditional':
        return this.#value(isTrue(this.#value(expression.test)) ? expression.then : expression.otherwise)
      case 'logical':
        return this.#logical(expression.operator, expression.operands)
      case 'comparison':
        return this.#comparison(expression)
      case 'unary': {
        const operand = this.#value(expression.operand)
        if (expression.operator === 'not') return !isTrue(operand)
        return this.#guard(expression.at, () => negate(expression.operator as '-' | '+' | '~', operand))
      }
      case 'binary':
        return this.#binary(expression.operator, this.#value(expression.left), expression.right, expression.at)
      case 'subscript':
        return this.#subscript(expression)
      case 'call':
        return this.#call(expression)
    }
  }

  #lookUp(name: string, at: number): PythonValue {
    const value = this.#environment.variables.get(name)
    if (value === undefined) throw this.#error(at, 'NameError', `name '${name}' is not defined`)
    return value
  }

  #logical(operator: 'and' | 'or', operands: readonly PythonExpression[]): PythonValue {
    let value: PythonValue = null
    for (const operand of operands) {
      value = this.#value(operand)
      if (isTrue(value) === (operator === 'or')) return value
    }
    return value
  }

  #comparison(expression: PythonExpression & { kind: 'comparison' }): boolean {
    let left = this.#value(expression.first)
    for (const { operator, operand } of expression.rest) {
      const right = this.#value(operand)
      if (!this.#guard(operand.at, () => compare(operator, left, right))) return false
      left = right
    }
    return true
  }

  #binary(operator: BinaryOperator, left: PythonValue, right: PythonExpression, at: number): PythonValue {
    const value = this.#value(right)
    return this.#guard(at, () => binary(operator, left, value))
  }

  #subscript({ of, index, at }: PythonExpression & { kind: 'subscript' }): PythonValue {
    const sequence = this.#value(of)
    const position = this.#value(index)
    const items =
      typeof sequence === 'string' ? [...sequence] : typeof sequence === 'object' ? sequence?.items : undefined
    if (items === undefined || typeof position !== 'bigint') {
      throw this.#error(at, 'TypeError', `a ${typeName(sequence)} has no element ${repr(position)}`)
    }
    const item = items.at(Number(position))
    if (item === undefined) throw this.#error(at, 'ValueError', `there is no element ${position} of ${items.length}`)
    return item
  }

  #call({ name, arguments: given, at }: PythonExpression & { kind: 'call' }): PythonValue {
    const values = given.map((argument) => this.#value(argument))
    if (name === 'print') {
      this.#environment.output.push(values.map(str).join(' '))
      return null
    }
    const result = this.#guard(at, () => call(name, values))
    if (result === undefined) throw this.#error(at, 'NameError', `function '${name}' is not defined`)
    return result
  }

  #guard<T>(at: number, operation: () => T): T {
    try {
      return operation()
    } catch (error) {
      if (error instanceof PythonTypeError) throw this.#error(at, error.kind, error.message)
      throw error
    }
  }

  /** `assert a == 10 failed: a is 12`, with the message if it says more than that. */
  #assertionError(test: PythonExpression, message: PythonExpression | null): CodeError {
    const shown = [...new Set(namesIn(test))].flatMap((name) => {
      const value = this.#environment.variables.get(name)
      return value === undefined ? [] : [`${name} is ${repr(value)}`]
    })
    const said = message === null || message.kind === 'name' ? '' : ` (${str(this.#value(message))})`
    const values = shown.length === 0 ? '' : `: ${shown.join(', ')}`
    const text = this.#code.text.slice(test.at, test.end)
    return this.#error(test.at, 'AssertionError', `assert ${text} failed${values}${said}`)
  }

  #error(at: number, kind: CodeErrorKind, reason: string): CodeError {
    return new CodeError(this.#code.file, this.#code.position(at), kind, `${kind}: ${reason}`)
  }
}

function compare(operator: Comparison, left: PythonValue, right: PythonValue): boolean {
  switch (operator) {
    case '==':
      return pythonEquals(left, right)
    case '!=':
      return !pythonEquals(left, right)
    case 'is':
    case 'is not':
      return (left === right || pythonEquals(left, right)) === (operator === 'is')
    case 'in':
    case 'not in':
      return contains(right, left) === (operator === 'in')
    case '<':
      return pythonCompare(left, right) < 0
    case '<=':
      return pythonCompare(left, right) <= 0
    case '>':
      return pythonCompare(left, right) > 0
    case '>=':
      return pythonCompare(left, right) >= 0
  }
}

function contains(container: PythonValue, value: PythonValue): boolean {
  if (typeof container === 'string' && typeof value === 'string') return container.includes(value)
  if (typeof container !== 'object' || container === null) {
    throw new PythonTypeError(`a ${typeName(container)} contains nothing`)
  }
  return container.items.some((item) => pythonEquals(item, value))
}

/** The names an assertion is about. */
function namesIn(expression: PythonExpression): string[] {
  switch (expression.kind) {
    case 'name':
      // Constants in capitals say nothing by their number, apart from those the suites test (SK_MEMINFO_RCVBUF).
      return /^(?:TCP|TCPI)_/.test(expression.name) ? [] : [expression.name]
    case 'tuple':
    case 'list':
      return expression.items.flatMap(namesIn)
    case 'unary':
      return namesIn(expression.operand)
    case 'binary':
      return [...namesIn(expression.left), ...namesIn(expression.right)]
    case 'logical':
      return expression.operands.flatMap(namesIn)
    case 'comparison':
      return [...namesIn(expression.first), ...expression.rest.flatMap(({ operand }) => namesIn(operand))]
    case 'conditional':
      return [expression.test, expression.then, expression.otherwise].flatMap(namesIn)
    case 'call':
      return expression.arguments.flatMap(namesIn)
    case 'subscript':
      return [...namesIn(expression.of), ...namesIn(expression.index)]
    default:
      return []
  }
}
