-- Load of wrk for serving.py: wrk ... URL -- FILE. Sends the bodies of FILE in turn; ends with a JSON line. Before every
-- body there is a line with its length and that of the JSON in front of binary data, or 0.

local requests, sent = {}, 0

function init(arguments)
   wrk.method = "POST"
   local file = io.open(arguments[1], "rb")
   while true do
      local length, json = file:read("*n", "*n")
      if not length then break end
      file:read(1)
      local headers = { ["Content-Type"] = "application/json", ["Host"] = "localhost" }
      if json > 0 then
         headers = { ["Content-Type"] = "application/octet-stream", ["Host"] = "localhost",
                     ["Inference-Header-Content-Length"] = tostring(json) }
      end
      requests[#requests + 1] = wrk.format(nil, nil, headers, file:read(length))
   end
   file:close()
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
