/** Takes back what was done. */
export type Undo = () => void

/** Gives `object` a property. */
export function put(object: object, name: PropertyKey, property: PropertyDescriptor): Undo {
  const before = Object.getOwnPropertyDescriptor(object, name)
  Object.defineProperty(object, name, { configurable: true, enumerable: before?.enumerable ?? false, ...property })
  return () => {
    if (before === undefined) Reflect.deleteProperty(object, name)
    else Object.defineProperty(object, name, before)
  }
}

/** Puts a value, or a function, in the place of another. */
export const putValue = (object: object, name: PropertyKey, value: unknown): Undo =>
  put(object, name, { value, writable: true })
