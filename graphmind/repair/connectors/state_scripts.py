"""Lua that a Redis runs as one: it compares, moves and remembers, or does nothing.

No value leaves the server. Nothing is deleted: what makes way is renamed and keeps its time to
live. A script that cannot do all takes back what it did.
"""

from typing import Final

_DIGEST: Final = """
local function digest(key)
  local kind = redis.call('TYPE', key)['ok']
  if kind == 'none' then return '' end
  if kind == 'string' then return redis.sha1hex('string:' .. redis.call('GET', key)) end
  local parts = {}
  local sizes = {list = 'LLEN', set = 'SCARD', hash = 'HLEN', zset = 'ZCARD'}
  if sizes[kind] and redis.call(sizes[kind], key) <= 10000 then
    if kind == 'list' then parts = redis.call('LRANGE', key, 0, -1)
    elseif kind == 'zset' then parts = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    elseif kind == 'set' then parts = redis.call('SMEMBERS', key)
    else
      local flat = redis.call('HGETALL', key)
      for at = 1, #flat, 2 do
        parts[#parts + 1] = #flat[at] .. ':' .. flat[at] .. flat[at + 1]
      end
    end
    if kind == 'set' or kind == 'hash' then table.sort(parts) end
    for at = 1, #parts do parts[at] = #parts[at] .. ':' .. parts[at] end
    return redis.sha1hex(kind .. ':' .. table.concat(parts))
  end
  return redis.sha1hex(kind .. ':' .. redis.call('DUMP', key))
end
"""
"""Of what is stored, not of how: above 10,000 elements (chosen: a few milliseconds) of its dump."""

LOOK: Final = (
    _DIGEST
    + """
local found = {}
for at = 1, #KEYS do
  local key = KEYS[at]
  local ttl = redis.call('PTTL', key)
  local expires = ''
  if ttl >= 0 then
    local known = redis.pcall('PEXPIRETIME', key)
    if type(known) == 'number' then expires = tostring(known) else
      local now = redis.call('TIME')
      expires = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000) + ttl)
    end
  end
  found[at] = {digest(key), redis.call('TYPE', key)['ok'], expires}
end
return found
"""
)
"""KEYS: any. Returns for each its digest (empty: no such key), type, and when it expires in ms."""

_WRITING: Final = (
    _DIGEST
    + """
local key, aside, made, record = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local expected, remember_s = ARGV[1], ARGV[2]
if redis.call('EXISTS', record) == 1 then return {'again'} end
local now = digest(key)
local function done()
  redis.call('SET', record, digest(key), 'EX', remember_s)
  return {'done'}
end
"""
)

MOVE: Final = (
    _WRITING
    + """
if now ~= expected then return {'changed', now} end
redis.call('RENAME', key, aside)
return done()
"""
)
"""Moves a key aside."""

PUT: Final = (
    _WRITING
    + """
local how, payload, wanted = ARGV[3], ARGV[4], ARGV[5]
if now ~= expected then
  if wanted ~= '' and now == wanted then return {'again'} end
  return {'changed', now}
end
if KEYS[5] and digest(KEYS[5]) ~= ARGV[6] then return {'source', KEYS[5]} end
local ttl = redis.call('PTTL', key)
if now ~= '' then redis.call('RENAME', key, aside) end
local put
if how == 'value' then put = redis.pcall('SET', key, payload)
elseif how == 'dump' then put = redis.pcall('RESTORE', key, 0, payload)
else put = redis.pcall('COPY', KEYS[5], key) end
if type(put) == 'table' and put['err'] then
  if now ~= '' then redis.call('RENAME', aside, key) end
  return {'failed', put['err']}
end
if ttl >= 0 then redis.call('PEXPIRE', key, ttl)
elseif now ~= '' then redis.call('PERSIST', key) end
redis.call('SET', made, digest(key), 'EX', remember_s)
return done()
"""
)
"""Moves a key aside, if it is there, and puts another value in its place, with its time to live."""

BACK: Final = (
    _WRITING
    + """
local prefix, name, nothing = ARGV[3], ARGV[4], expected == ''
if now == expected then return {'again'} end
if not nothing and digest(aside) ~= expected then return {'gone', aside} end
if now ~= '' then
  if redis.call('GET', made) ~= now then return {'changed', now} end
  redis.call('RENAME', key, prefix .. now .. ':' .. name)
end
if not nothing then redis.call('RENAME', aside, key) end
return done()
"""
)
"""Brings back what was moved aside, or that nothing was there; what PUT placed makes way."""
