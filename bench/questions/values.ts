import { diskLimit, loopbackLimit } from '../limits.ts';
import { type Sample, takeSample } from '../sample.ts';
import { median } from '../statistics.ts';
import type { Row } from '../system.ts';
import { bellwether } from '../systems/bellwether.ts';
import { decimal, markdownTable, percent, whole } from '../table.ts';
import type { Answer, Question, QuestionContext } from './question.ts';

/** Every client byte is written by three logs, and crosses loopback to the leader and to two followers. */
const copies = 3;
const sizes = [
  { name: '1 KiB', valueBytes: 1 << 10, pipeline: 16 },
  { name: '10 KiB', valueBytes: 10 << 10, pipeline: 4 },
];
const connections = 50;
const mebibyte = 1 << 20;

function rowOf({ name, valueBytes, pipeline }: (typeof sizes)[number]): Row {
  return {
    name,
    title: name,
    kind: 'set',
    connections,
    pipeline,
    valueBytes,
    systems: ['bellwether'],
    aim: '',
  };
}

async function run({ rounds, seconds, warmUp, data, tell }: QuestionContext): Promise<Answer> {
  const disk: number[] = [];
  const loopback: number[] = [];
  const samples: {
    name: string;
    valueBytes: number;
    sample: Sample;
    diskShare: number;
    loopbackShare: number;
  }[] = [];
  const ms = seconds * 1000;
  for (let round = 0; round < rounds; round++) {
    const diskBytes = await diskLimit(data, ms / 2);
    const loopbackBytes = await loopbackLimit(data, ms / 2);
    disk.push(diskBytes);
    loopback.push(loopbackBytes);
    for (const size of sizes) {
      const options = { warmUpMs: warmUp * 1000, measuredMs: ms, ratePerSecond: 0, data };
      const sample = await takeSample(bellwether, rowOf(size), round, options);
      const carried = sample.perSecond * size.valueBytes * copies;
      samples.push({
        ...size,
        sample,
        diskShare: carried / diskBytes,
        loopbackShare: carried / loopbackBytes,
      });
      tell(`values round ${round + 1} ${size.name}: ${whole(sample.perSecond)}/s`);
    }
  }
  const lines = sizes.map(({ name, valueBytes, pipeline }) => {
    const own = samples.filter((one) => one.name === name);
    const perSecond = median(own.map(({ sample }) => sample.perSecond));
    return [
      `${name}, ${connections} × ${pipeline}`,
      whole(perSecond),
      whole((perSecond * valueBytes) / mebibyte),
      decimal(median(own.map(({ sample }) => sample.p99))),
      percent(median(own.map(({ diskShare }) => diskShare))),
      percent(median(own.map(({ loopbackShare }) => loopbackShare))),
    ];
  });
  const heading = [
    'values',
    'writes/s',
    'MiB/s of values',
    'p99 ms',
    "share of the disk's limit",
    "share of loopback's limit",
  ];
  return {
    lines: [
      ...markdownTable([heading, ...lines]),
      '',
      `- The disk took ${whole(median(disk) / mebibyte)} MiB/s from three logs that do nothing but write, 512 KiB durably at a time; loopback carried ${whole(median(loopback) / mebibyte)} MiB/s from one Node.js process to another. Both were measured in every round.`,
      `- A share counts each value ${copies} times: it is written by three logs, and crosses loopback to the leader and to two followers.`,
    ],
    figures: { disk, loopback, samples },
  };
}

export const values: Question = {
  name: 'values',
  title: "Larger values, and the share of the disk's and the loopback's own limit",
  run,
};
