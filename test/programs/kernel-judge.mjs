// Runs scripts on the kernel of this machine, one after another, for the test that asks (test/fixtures/kernel-judges.ts).
import { linuxKernel, runScript } from '../../dist/drill/index.js'

const target = await linuxKernel()
process.on('message', ({ source, options }) => process.send(runScript(source, { ...options, target }, 'ipv4')))
