/** A list that is filled and emptied over and over: emptying it keeps its room, which `length = 0` of an array gives up. */
export class Batch<T> {
  /** The first `count` are in the list; the others hold nothing. */
  readonly items: (T | null)[] = []
  count = 0

  push(item: T): void {
    this.items[this.count++] = item
  }

  clear(): void {
    const { items, count } = this
    for (let i = 0; i < count; i++) items[i] = null
    this.count = 0
  }
}
