/**
 * The scripts that Redis executes: each with one key, for Lua 5.1 and 5.4, and without clocks.
 *
 * A key of a client, an aggregate or the total is a hash. It has a field `id:since` for each entry, whose value is `count` or, after
 * further requests, `count:seq`. Where there are many instances, a field `_t` has the sum of the counts, or more: the sum is
 * checked before anything is refused. The registry of the instances is a hash, too; its values are `beat:birth:floor:open`.
 *
 * @module
 */

/**
 * `count(field, seq, have, want, max, split, ttl, many, mark)`: see `SharedStore.count()`. `mark` follows the count in the value.
 * Replies `{ granted, others }`, and the entries of the others where it grants less than is wanted. A request that is late gets
 * `{ -1, -1 }`.
 */
export const COUNT: string = `
local key, field, seq, have, want = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local others, mine, last, granted, sum, entries = 0, 0, -1, 0, false, nil
for pass = (ARGV[8] == '1' and 1 or 2), 2 do
  if pass == 1 then
    local found = redis.call('HMGET', key, '_t', field)
    sum = found[1]
    if sum then
      if found[2] then
        local count, at = string.match(found[2], '^(%d+):?(%d*)$')
        mine, last = tonumber(count), tonumber(at) or tonumber(string.match(field, '%d+$'))
      end
      others = math.max(0, tonumber(sum) - mine)
    end
  else
    local fields = redis.call('HGETALL', key)
    sum, others, mine, last, entries = false, 0, 0, -1, {}
    if #fields > 0 then
      local id, since = string.match(field, '^(.+):(%d+)$')
      for i = 1, #fields, 2 do
        local name = fields[i]
        if name == '_t' then sum = true else
          local owner, began = string.match(name, '^(.+):(%d+)$')
          local count, at = string.match(fields[i + 1], '^(%d+):?(%d*)$')
          if not owner or not count then error('not an entry of connlimit: ' .. name) end
          if name == field then
            mine, last = tonumber(count), tonumber(at) or tonumber(began)
          elseif owner ~= id then
            others = others + tonumber(count)
            entries[#entries + 1] = name
            entries[#entries + 1] = fields[i + 1]
          elseif tonumber(began) > tonumber(since) then
            return { -1, -1 }
          else
            redis.call('HDEL', key, name)
          end
        end
      end
    end
  end
  if pass == 2 or sum then
    if last > seq then return { -1, -1 } end
    if last == seq then granted = mine - have
    elseif want > 0 then
      local room, split = tonumber(ARGV[5]) - others - have, tonumber(ARGV[6])
      granted = math.max(0, math.min(want, room))
      if split > 0 and room > want then
        granted = want + math.min(1000000, math.floor((room - want) / split))
      end
    end
    if granted >= want then break end
  end
end
local count = have + granted
if last ~= seq then
  local total = others + count
  if count > 0 then
    if ARGV[8] == '1' then redis.call('HSET', key, field, count .. ARGV[9], '_t', total)
    else
      redis.call('HSET', key, field, count .. ARGV[9])
      if sum then redis.call('HDEL', key, '_t') end
    end
    redis.call('PEXPIRE', key, ARGV[7])
  elseif sum then
    redis.call('HDEL', key, field, '_t')
    if total > 0 and ARGV[8] == '1' then redis.call('HSET', key, '_t', total) end
  elseif last >= 0 then redis.call('HDEL', key, field) end
end
if granted < want then return { granted, others, entries } end
return { granted, others }`;

/** `reap(field, seq, …)`: removes entries that have not changed. */
export const REAP: string = `
local removed = 0
for i = 1, #ARGV, 2 do
  local value = redis.call('HGET', KEYS[1], ARGV[i])
  if value then
    local count, seq = string.match(value, '^(%d+):?(%d*)$')
    if seq == '' then seq = string.match(ARGV[i], ':(%d+)$') end
    if seq == ARGV[i + 1] then
      redis.call('HDEL', KEYS[1], ARGV[i])
      removed = removed + tonumber(count)
    end
  end
end
local sum = redis.call('HGET', KEYS[1], '_t')
if sum and removed > 0 then
  if tonumber(sum) > removed then redis.call('HSET', KEYS[1], '_t', tonumber(sum) - removed)
  else redis.call('HDEL', KEYS[1], '_t') end
end
return removed`;

/** `total()`: the sum of the counts. */
export const TOTAL: string = `
local total = 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if fields[i] ~= '_t' then total = total + tonumber(string.match(fields[i + 1], '^%d+')) end
end
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
