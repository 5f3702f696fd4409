-- Asks for many small files in turn, so that no side answers one path only. Arguments: how many, and "more" for three
-- fields that clients such as dnf and curl send. Prints one line that serve_load.py reads.
local requests = {}
local number = 0

init = function(arguments)
  if arguments[2] == "more" then
    wrk.headers["User-Agent"] = "libdnf (CentOS Linux 8; generic; Linux.x86_64)"
    wrk.headers["Accept"] = "*/*"
    wrk.headers["Accept-Encoding"] = "identity"
  end
  for file = 0, tonumber(arguments[1]) - 1 do
    requests[file] = wrk.format("GET", string.format("/small/%05d.bin", file))
  end
end

request = function()
  number = (number + 1) % (#requests + 1)
  return requests[number]
end

done = function(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.status
  io.write(string.format("measured %d %d %d %d\n", summary.requests, summary.duration, broken, latency:percentile(99)))
end
