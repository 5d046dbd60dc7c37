/** The Redis version whose commands are the specification of those that exist here. */
export const redisVersion = '7.2.4';
