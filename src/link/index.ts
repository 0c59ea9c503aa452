export { Capture, type CaptureSink } from './capture.js'
export { copyFrame, FaultInjection, type Faults, flipBit } from './fault-injection.js'
export { MAX_SUPER_SEGMENT, type MemoryPipeOptions, memoryPipe } from './memory-pipe.js'
export { Middleware } from './middleware.js'
