-- One request over and over, from the environment: METHOD, URLPATH (%d in it
-- becomes a number from LOW to HIGH, another one each time), BODY (in which %d becomes one that
-- was not there before, so that each request changes something), TOKEN.
-- With KEYS, each has an Idempotency-Key of its own. With TOKENS, a file of refresh tokens, each request shows one of them, and
-- the answer's successor takes its place.
local method, path, body = os.getenv("METHOD") or "GET", os.getenv("URLPATH") or "/", os.getenv("BODY")
local low, high = tonumber(os.getenv("LOW") or 0), tonumber(os.getenv("HIGH") or 0)
local headers = { ["Content-Type"] = "application/json" }
if os.getenv("TOKEN") then headers["Authorization"] = "Bearer " .. os.getenv("TOKEN") end
local pool, threads, made, numbered = {}, 0, nil, path:find("%%d")
local changing = body and body:find("%%d")

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  math.randomseed(number + 1)
  local file = os.getenv("TOKENS")
  if file then
    local line = 0
    for token in io.lines(file) do
      if line % tonumber(os.getenv("THREADS")) == number then table.insert(pool, token) end
      line = line + 1
    end
    response = function(status, _, text)
      local successor = text:match('"refresh_token":"([^"]+)"')
      if successor then table.insert(pool, 1, successor) end
    end
  end
  made = wrk.format(method, path, headers, body)
end

function request()
  if os.getenv("KEYS") then
    count = (count or 0) + 1
    headers["Idempotency-Key"] = os.getenv("KEYS") .. "-" .. number .. "-" .. count
    return wrk.format(method, path, headers, body)
  end
  if changing then
    count = (count or 0) + 1
    return wrk.format(method, numbered and string.format(path, math.random(low, high)) or path, headers, string.format(body, (number + 1) * 100000000 + count))
  end
  if numbered then return wrk.format(method, string.format(path, math.random(low, high)), headers, body) end
  if os.getenv("TOKENS") then
    return wrk.format(method, path, headers, '{"refresh_token":"' .. (table.remove(pool) or "none left") .. '"}')
  end
  return made
end

function done(summary, latency, _)
  local errors = summary.errors
  print(string.format("RESULT %.0f %.2f %.2f %.2f %d %d",
    summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout, summary.requests))
end
