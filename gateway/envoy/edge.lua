-- What Envoy has no setting for. `filters` lets only the few requests in here that need it: those with `If-None-Match`, HEAD,
-- those whose `Authorization` is written in another way than `Bearer <token>`, and those with a `traceparent` that is none or
-- a `user-agent` that gRPC does not take.

local METADATA = "souk.edge"

-- RFC 9110, 11.4: the scheme is in any case, and one or more spaces follow it.
local function write_scheme_as_usual(headers)
  local scheme, token = string.match(headers:get("authorization") or "", "^(%a+) +([^ ]+)$")
  if scheme ~= nil and string.lower(scheme) == "bearer" then
    headers:replace("authorization", "Bearer " .. token)
  end
end

-- RFC 9110, 13.1.2: tags are compared weakly. Compressed or not, it is the same content.
local function has_already(known, etag)
  if known == "*" then
    return true
  end
  for tag in string.gmatch(known, '"[^"]*"') do
    if tag == string.match(etag, '"[^"]*"') then
      return true
    end
  end
  return false
end

-- A trace that is none would break the traces of whoever reads it. `filters` knows what one looks like.
local function drop_broken_trace(headers)
  local trace = headers:get("traceparent")
  if trace ~= nil and (#trace ~= 55 or not string.match(trace, "^00%-[0-9a-f]+%-[0-9a-f]+%-[0-9a-f]+$")) then
    headers:remove("traceparent")
  end
end

-- gRPC takes ASCII only.
local function drop_strange_agent(headers)
  local agent = headers:get("user-agent")
  if agent ~= nil and string.match(agent, "[^\t -~]") then
    headers:remove("user-agent")
  end
end

-- Leaves the length as it was told, if it was. The headers of before the wait for the body are no longer Lua's.
local function drop_body(handle)
  local length = handle:headers():get("content-length")
  local body = handle:body()
  if body ~= nil then
    body:setBytes("")
  end
  if length ~= nil then
    handle:headers():replace("content-length", length)
  else
    handle:headers():remove("content-length")
  end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local metadata = handle:streamInfo():dynamicMetadata()
  local method = headers:get(":method")
  write_scheme_as_usual(headers)
  drop_broken_trace(headers)
  drop_strange_agent(headers)
  if method == "HEAD" then
    metadata:set(METADATA, "head", true)
  end
  if method == "GET" or method == "HEAD" then
    metadata:set(METADATA, "known", headers:get("if-none-match"))
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local asked = handle:streamInfo():dynamicMetadata():get(METADATA)
  if asked == nil then
    return
  end
  local etag = headers:get("etag")
  if etag ~= nil and asked.known ~= nil and headers:get(":status") == "200" and has_already(asked.known, etag) then
    headers:replace(":status", "304")
    for _, name in ipairs({"content-length", "content-type", "content-encoding"}) do
      headers:remove(name)
    end
    drop_body(handle)
  elseif asked.head then
    -- What GET would have answered, but for the body.
    drop_body(handle)
  end
end
