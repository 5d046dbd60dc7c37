import { scenario, since72 } from '../support/redis-script.ts';

const shortest = 'the shortest digits of a score came with 7.2';

function fill(key: string, count: number): string {
  const pairs = Array.from({ length: count }, (_, i) => `${(i * 7919) % 1009} member:${i}`);
  return `ZADD ${key} ${pairs.join(' ')}`;
}

export const sortedSetScenarios = [
  scenario(
    'ZADD with its options',
    `
    ZADD z 1 a 2 b 3 c
    ZADD z 1 a
    ZADD z CH 2 a 5 d
    ZADD z NX 9 a 9 e
    ZADD z XX 9 a 9 f
    ZADD z XX CH 8 a 9 f
    ZADD z GT CH 1 a 10 b
    ZADD z LT CH 1 a 20 b
    ZADD z GT LT 1 a
    ZADD z NX XX 1 a
    ZADD z NX GT 1 a
    ZADD z INCR 2.5 a
    ZADD z NX INCR 1 a
    ZADD z XX INCR 1 none
    ZADD z INCR 1 a 2 b
    ZADD z INCR inf a
    ZADD z INCR -inf a
    ZADD z x a
    ZADD z nan a
    ZADD z 1
    ZADD z 1 a 2
    ZADD z NX
    ZADD none XX 1 a
    EXISTS none
    ZRANGE z 0 -1 WITHSCORES
    OBJECT ENCODING z
    TYPE z
    SET s v
    ZADD s 1 a
    ZCARD s
    `,
  ),
  scenario(
    'scores as they are printed',
    `
    ZADD z 1.5 a 0.1 b 3 c 1e20 d 1e-7 e -2.25 f inf g -inf h 17179869184 i 0.30000000000000004 j
    ZADD z 1e300 k 123456789012345678 l 0x10 m 5e-324 n 3.0 o .5 p 1e21 q 100000000000000000000 r
    ZSCORE z a
    ZSCORE z d
    ZSCORE z g
    ZSCORE z h
    ZSCORE z none
    ZSCORE none a
    ZMSCORE none a
    ZINCRBY z 1 new
    ZINCRBY z x new
    ZINCRBY none 1.25 a
    `,
    since72('ZRANGE z 0 -1 WITHSCORES', '', shortest),
    since72('ZSCORE z b', '', shortest),
    since72('ZMSCORE z a none b', '', shortest),
  ),
  scenario(
    'ranks and removal',
    `
    ZADD z 1 a 2 b 2 c 3 d
    ZRANK z a
    ZRANK z d
    ZREVRANK z a
    ZREVRANK z d
    ZRANK z none
    ZREVRANK none a
    ZREM z a none
    ZRANK z b
    ZREM z b c d
    EXISTS z
    ZREM z a
    ZCARD z
    ZREM
    `,
  ),
  scenario(
    'ranges by rank, score and member',
    `
    ZADD z 1 a 2 b 3 c 4 d 5 e
    ZRANGE z 0 -1
    ZRANGE z 1 2 WITHSCORES
    ZRANGE z -2 -1 REV
    ZRANGE z 5 9
    ZRANGE z x 1
    ZREVRANGE z 0 1 WITHSCORES
    ZRANGEBYSCORE z 2 4
    ZRANGEBYSCORE z (2 (4
    ZRANGEBYSCORE z -inf +inf LIMIT 1 2
    ZRANGEBYSCORE z -inf +inf LIMIT 1 -1 WITHSCORES
    ZRANGEBYSCORE z -inf +inf LIMIT -1 2
    ZRANGEBYSCORE z x 1
    ZREVRANGEBYSCORE z 4 2
    ZREVRANGEBYSCORE z (4 (2 WITHSCORES
    ZREVRANGEBYSCORE z +inf -inf LIMIT 1 2
    ZRANGE z 2 4 BYSCORE
    ZRANGE z 4 2 BYSCORE REV
    ZRANGE z 4 2 BYSCORE REV LIMIT 0 1 WITHSCORES
    ZRANGE z 0 1 LIMIT 0 1
    ZRANGE z - + BYLEX WITHSCORES
    ZCOUNT z 2 4
    ZCOUNT z (2 (4
    ZCOUNT z 4 2
    ZCOUNT z x 2
    ZADD l 0 a 0 b 0 c 0 d 0 aa
    ZRANGEBYLEX l - +
    ZRANGEBYLEX l [aa (c
    ZRANGEBYLEX l (a [c LIMIT 1 1
    ZREVRANGEBYLEX l + -
    ZREVRANGEBYLEX l [c (a
    ZRANGE l [aa [c BYLEX
    ZRANGE l [c [aa BYLEX REV
    ZRANGEBYLEX l aa c
    ZLEXCOUNT l [aa (c
    ZLEXCOUNT l - +
    ZLEXCOUNT l x y
    ZRANGE none 0 -1
    ZCOUNT none 0 1
    `,
  ),
  scenario(
    'ranges that are removed, and pops',
    `
    ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g
    ZREMRANGEBYRANK z 0 1
    ZREMRANGEBYSCORE z (3 4
    ZREMRANGEBYSCORE z x 4
    ZPOPMIN z
    ZPOPMAX z
    ZPOPMIN z 0
    ZPOPMAX z 2
    ZPOPMIN z
    ZPOPMIN z 2
    EXISTS z
    ZADD l 0 a 0 b 0 c 0 d
    ZREMRANGEBYLEX l [b (d
    ZREMRANGEBYLEX l x y
    ZRANGE l 0 -1
    ZREMRANGEBYRANK l 0 -1
    EXISTS l
    ZPOPMIN l x
    ZPOPMIN l -1
    ZPOPMIN l 1 2
    ZREMRANGEBYRANK none 0 -1
    `,
  ),
  scenario(
    'large sorted sets',
    `
    ${fill('z', 400)}
    OBJECT ENCODING z
    ZCARD z
    ZRANGE z 0 -1 WITHSCORES
    ZRANK z member:17
    ZREVRANK z member:17
    ZRANGEBYSCORE z 100 200
    ZREMRANGEBYRANK z 10 300
    ZRANGE z 0 -1
    * ZSCAN z 0 COUNT 1000 MATCH none
    `,
  ),
  scenario(
    'random members and ZSCAN',
    `
    ZRANDMEMBER none
    ZRANDMEMBER none 3
    ZADD z 1 a
    ZRANDMEMBER z
    ZRANDMEMBER z 5
    ZRANDMEMBER z -3
    ZRANDMEMBER z 1 WITHSCORES
    ZRANDMEMBER z -2 WITHSCORES
    ZRANDMEMBER z 0
    ZRANDMEMBER z x
    ZRANDMEMBER z 1 x
    ZSCAN z 0
    ZSCAN none 0
    ZSCAN z x
    COPY z y
    ZRANGE y 0 -1 WITHSCORES
    RENAME y x
    ZSCORE x a
    SCAN 0 TYPE zset COUNT 0
    `,
  ),
];
