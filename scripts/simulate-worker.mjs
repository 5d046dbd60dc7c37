// A process of `npm run simulate`: runs the seeds that it is sent, one after the other.
import { answerFor } from '../dist/sim/main.js';

process.on('message', ({ seed, shrinks }) => process.send(answerFor(seed, shrinks)));
