/**
 * The scripts that Redis executes: each with one key, for Lua 5.1 and 5.4, and without clocks.
 *
 * A key of a client, an aggregate or the total is a hash: a field for each instance, whose value is `count:seq`; and, where there
 * are many instances, a field `_t` with the sum of the counts. The registry of the instances is a hash, too; its values are
 * `beat:birth:floor:open`.
 *
 * @module
 */

/** Reads a value of an entry, or fails: a hash that is not ours is left alone. */
const READ = `
local function read(value)
  local count, seq = string.match(value, '^(%d+):(%d+)$')
  if not count then error('not an entry of connlimit: ' .. value) end
  return tonumber(count), tonumber(seq)
end`;

/** Adds up all entries. Sets \`total\`, \`sums\` (whether there is a field with the sum), \`mine\`, \`last\` and \`entries\`. */
const SUM = `
local total, sums, mine, last, entries = 0, false, 0, -1, {}
local function sum()
  total, entries = 0, {}
  local fields = redis.call('HGETALL', KEYS[1])
  for i = 1, #fields, 2 do
    if fields[i] == '_t' then sums = true else
      local count, seq = read(fields[i + 1])
      total = total + count
      if fields[i] == ARGV[1] then mine, last = count, seq else
        entries[#entries + 1] = fields[i]
        entries[#entries + 1] = fields[i + 1]
      end
    end
  end
end`;

/**
 * `count(id, seq, have, want, max, split, ttl, many)`: see `SharedStore.count()`. Replies `{ granted, others }`, and the fields of
 * the others where it grants less than is wanted.
 */
export const COUNT: string = `${READ}${SUM}
local seq, have, want = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local split, many = tonumber(ARGV[6]), ARGV[8] == '1'
local summed = false
if many or want == 0 then
  local found = redis.call('HMGET', KEYS[1], ARGV[1], '_t')
  if found[1] then mine, last = read(found[1]) end
  if found[2] then total, sums, summed = tonumber(found[2]), true, true end
end
if not summed then
  if want > 0 or split > 0 or many then sum() else total = mine end
end
if last > seq then return redis.error_reply('LATE a later request has been executed') end
local others, granted = total - mine, 0
local function full()
  -- The sum is checked where it matters.
  if summed then sum() others = total - mine end
end
if last == seq then
  granted = mine - have
  if granted < want then full() end
else
  local function grant()
    local room = tonumber(ARGV[5]) - others - have
    if room < want then return math.max(0, room) end
    if split <= 0 then return want end
    return want + math.floor((room - want) / split)
  end
  if want > 0 then
    granted = grant()
    if granted < want and summed then full() granted = grant() end
  end
  local count = have + granted
  if count > 0 then
    local value = string.format('%.0f', count) .. ':' .. ARGV[2]
    if sums or many then
      redis.call('HSET', KEYS[1], ARGV[1], value, '_t', string.format('%.0f', others + count))
    else
      redis.call('HSET', KEYS[1], ARGV[1], value)
    end
    redis.call('PEXPIRE', KEYS[1], ARGV[7])
  elseif last >= 0 then
    if not sums then redis.call('HDEL', KEYS[1], ARGV[1])
    elseif others > 0 then
      redis.call('HDEL', KEYS[1], ARGV[1])
      redis.call('HSET', KEYS[1], '_t', string.format('%.0f', others))
    else redis.call('HDEL', KEYS[1], ARGV[1], '_t') end
  end
end
if granted < want then return { granted, others, entries } end
return { granted, others }`;

/** `reap(id, seq, …)`: removes entries that have not changed. */
export const REAP: string = `${READ}
local removed = 0
for i = 1, #ARGV, 2 do
  local value = redis.call('HGET', KEYS[1], ARGV[i])
  if value then
    local count, seq = read(value)
    if seq == tonumber(ARGV[i + 1]) then
      redis.call('HDEL', KEYS[1], ARGV[i])
      removed = removed + count
    end
  end
end
local total = redis.call('HGET', KEYS[1], '_t')
if total and removed > 0 then
  local left = tonumber(total) - removed
  if left > 0 then redis.call('HSET', KEYS[1], '_t', string.format('%.0f', left))
  else redis.call('HDEL', KEYS[1], '_t') end
end
return removed`;

/** `total()`: the sum of the counts. */
export const TOTAL: string = `${READ}${SUM}
sum()
return total`;

/** `beat(id, beat, floor, open, ttl, id, beat, …)`: see `SharedStore.beat()`. Replies with all fields and values. */
export const BEAT: string = `
for i = 6, #ARGV, 2 do
  local value = redis.call('HGET', KEYS[1], ARGV[i])
  if value and string.match(value, '^(%d+):') == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
local value = redis.call('HGET', KEYS[1], ARGV[1])
local beat, birth = string.match(value or '', '^(%d+):(%d+):%d+:%d+$')
if value and not beat then error('not a sign of life of connlimit: ' .. value) end
if not beat or tonumber(beat) < tonumber(ARGV[2]) then
  local sign = { ARGV[2], birth or ARGV[2], ARGV[3], ARGV[4] }
  redis.call('HSET', KEYS[1], ARGV[1], table.concat(sign, ':'))
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
return redis.call('HGETALL', KEYS[1])`;

/** `leave(id)`: removes a sign of life. */
export const LEAVE: string = `return redis.call('HDEL', KEYS[1], ARGV[1])`;
