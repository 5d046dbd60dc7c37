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
    'PFDEBUG and PFSELFTEST',
    `
    PFDEBUG ENCODING k
    PFADD k a b c
    PFDEBUG ENCODING k
    PFDEBUG encoding k
    PFDEBUG DECODE k
    PFDEBUG DECODE none
    PFDEBUG x k
    PFDEBUG x none
    PFDEBUG x
    PFDEBUG ENCODING k k
    COPY k l
    EXPIREAT l 33177117420
    PFDEBUG GETREG l
    EXPIRETIME l
    PFDEBUG ENCODING l
    PFDEBUG DECODE l
    PFDEBUG TODENSE l
    GETRANGE l 0 100
    PFCOUNT l
    PFDEBUG TODENSE k
    PFDEBUG TODENSE k
    PFDEBUG ENCODING k
    PFCOUNT k
    HSET h f v
    PFDEBUG ENCODING h
    SET s v
    PFDEBUG GETREG s
    SET s "HYLL\\x01\\x00\\x00\\x00\\x05\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff"
    PFDEBUG DECODE s
    PFDEBUG TODENSE s
    GETRANGE s 0 20
    SET s "HYLL\\x01\\x00\\x00\\x00\\x05\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xfe\\x02\\x84"
    PFDEBUG DECODE s
    PFDEBUG TODENSE s
    PFDEBUG GETREG s
    PFSELFTEST
    PFSELFTEST x
    `,
  ),
  scenario(
    'how long HyperLogLogs stay sparse',
    `
    CONFIG GET hll-sparse-max-bytes
    CONFIG SET hll-sparse-max-bytes -1
    CONFIG SET hll-sparse-max-bytes x
    CONFIG SET hll-sparse-max-bytes 1kb
    CONFIG GET hll-sparse-max-bytes
    CONFIG SET hll-sparse-max-bytes 30
    PFADD k a b
    PFDEBUG ENCODING k
    PFADD k c d e f g h
    PFDEBUG ENCODING k
    PFADD l x y
    PFMERGE l k
    PFDEBUG ENCODING l
    CONFIG SET hll-sparse-max-bytes 3000
    PFDEBUG ENCODING k
    PFADD m a b c d e f g h
    PFDEBUG ENCODING m
    CONFIG GET lua-time-limit
    CONFIG GET busy-reply-threshold
    CONFIG SET lua-time-limit 10
    CONFIG GET busy-reply-threshold
    CONFIG SET busy-reply-threshold -1
    CONFIG SET busy-reply-threshold 5000
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
