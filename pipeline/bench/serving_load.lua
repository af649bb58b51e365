-- Load of wrk for serving.py: wrk ... URL -- FILE. Sends the bodies of FILE, one a line, in turn; ends with a JSON line.

local requests, sent = {}, 0

function init(arguments)
   wrk.method = "POST"
   for body in io.lines(arguments[1]) do
      requests[#requests + 1] = wrk.format(nil, nil, { ["Content-Type"] = "application/json", ["Host"] = "localhost" }, body)
   end
end

function request()
   sent = sent % #requests + 1
   return requests[sent]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "microseconds": %d, "bytes": %d, "p50_us": %d, "p99_us": %d, "not_2xx": %d, "broken": %d}\n',
      summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
