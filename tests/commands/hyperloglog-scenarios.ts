import { scenario } from '../support/redis-script.ts';

function add(key: string, from: number, to: number): string {
  const lines: string[] = [];
  for (let i = from; i < to; i += 100)
    lines.push(`PFADD ${key} ${Array.from({ length: 100 }, (_, j) => `element:${i + j}`).join(' ')}`);
  return lines.join('\n');
}

export const hyperLogLogScenarios = [
  scenario(
    'PFADD and PFCOUNT',
    `
    PFCOUNT k
    PFADD k
    PFADD k
    GET k
    PFCOUNT k
    PFADD k a b c
    GET k
    PFADD k a b c
    PFADD k a ""
    PFADD k 1234567 12345678 123456789 "\\xff\\x00\\xfe"
    GET k
    PFCOUNT k
    TYPE k
    SET t v
    PFADD t a
    PFADD t
    PFCOUNT t
    PFCOUNT k t
    PFMERGE k t
    PFMERGE t k
    HSET h f v
    PFADD h a
    PFCOUNT h
    PFMERGE h
    SET s "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80"
    PFADD s a
    PFCOUNT s
    SET s "HYLL\\x01\\x00\\x00\\x00\\x05\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x7f\\xff"
    PFCOUNT s
    SET s "HYLL\\x00\\x00\\x00\\x00\\x05"
    PFCOUNT s
    SET s "HYLL\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff"
    PFADD s a
    SET s "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff"
    EXPIREAT s 33177117420
    PFADD s a
    EXPIRETIME s
    PFCOUNT s
    PFADD
    PFCOUNT
    PFMERGE
    `,
  ),
  scenario(
    'PFCOUNT of many elements, sparse and dense',
    add('{k}1', 0, 500),
    'PFCOUNT {k}1',
    add('{k}1', 500, 8000),
    `
    PFCOUNT {k}1
    STRLEN {k}1
    `,
    add('{k}1', 8000, 20_000),
    `
    PFCOUNT {k}1
    PFADD {k}1 element:1
    PFADD {k}2 x y z
    PFCOUNT {k}1 {k}2 {k}none
    PFMERGE {k}3 {k}2 {k}none
    PFCOUNT {k}3
    PFMERGE {k}3 {k}1
    PFCOUNT {k}3
    STRLEN {k}3
    PFMERGE {k}4
    PFCOUNT {k}4
    PFMERGE {k}2 {k}4
    PFCOUNT {k}2
    GETRANGE {k}1 16 12304
    PFCOUNT a b
    PFMERGE a b
    `,
  ),
];
