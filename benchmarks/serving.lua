-- wrk: a path with the number of a random customer in the place of %d; in open runs each connection
-- waits so long between two requests that all together make `rate` a second
local path, key, customers, rate, connections = nil, nil, 1, 0, 64

function init(args)
  path, key = args[1], args[2]
  customers, rate, connections = tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 100000)
  wrk.headers["X-Api-Key"] = key
end

function request()
  return wrk.format("GET", (path:gsub("%%d", string.format("%07d", math.random(0, customers - 1)))))
end

function delay()
  if rate == 0 then return 0 end
  -- exponential, as calls of many recipients come
  return math.floor(-math.log(1 - math.random()) * connections / rate * 1000 + 0.5)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "RESULT %d %d %f %f %f %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
