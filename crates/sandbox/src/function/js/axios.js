// As much of axios as calling an interface takes; the request itself is made by the server, where
// it may.

class AxiosError extends Error {
  constructor(message, code, config, response) {
    super(message);
    Object.assign(this, { name: "AxiosError", code, config, response, status: response?.status, isAxiosError: true });
  }
  toJSON() { return { name: this.name, message: this.message, code: this.code, status: this.status }; }
}

const lower = (headers) => Object.fromEntries(Object.entries(headers ?? {})
  .filter(([, value]) => value !== undefined && value !== null)
  .map(([name, value]) => [name.toLowerCase(), String(value)]));

function query_of(params) {
  if (!params) return "";
  if (params instanceof URLSearchParams) return params.toString();
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === null) continue;
    if (Array.isArray(value)) for (const one of value) pairs.append(`${name}[]`, one);
    else pairs.append(name, typeof value === "object" ? stringify(value) : value);
  }
  return pairs.toString();
}

function url_of(config) {
  let url = String(config.url ?? "");
  if (config.baseURL && !/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) {
    url = `${String(config.baseURL).replace(/\/+$/, "")}/${url.replace(/^\/+/, "")}`;
  }
  const query = query_of(config.params);
  return query ? url + (url.includes("?") ? "&" : "?") + query : url;
}

function body_of(data, headers) {
  const kind = (mime) => { headers["content-type"] ??= mime; };
  if (data === undefined || data === null) return null;
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) return bytes_of(data);
  if (data instanceof URLSearchParams) { kind("application/x-www-form-urlencoded"); return Buffer.from(data.toString()); }
  if (typeof data === "string") { kind("application/x-www-form-urlencoded"); return Buffer.from(data); }
  if ((headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")) return Buffer.from(query_of(data));
  kind("application/json");
  return Buffer.from(stringify(data));
}

function data_of(bytes, config) {
  if (config.responseType === "arraybuffer") return bytes;
  if (config.responseType === "stream") throw new AxiosError("responseType stream is not supported here; use arraybuffer", "ERR_NOT_SUPPORT", config);
  const text = bytes.toString();
  if (config.responseType === "text") return text;
  try { return text === "" ? text : parse(text); } catch { return text; }
}

function fetched(config) {
  return (told) => {
    const failure = told.not_fetched;
    if (failure) return { error: new AxiosError(failure.message, failure.code, config), ms: failure.took_ms };
    const { status, headers, body, took_ms } = told.fetched;
    try {
      const response = {
        status, statusText: "", config, headers: Object.fromEntries(headers),
        data: data_of(wrap(decode(body, "base64")), config),
      };
      const is_fine = config.validateStatus === null ? true
        : (config.validateStatus ?? ((code) => code >= 200 && code < 300))(status);
      if (is_fine) return { value: response, ms: took_ms };
      const code = status < 500 ? "ERR_BAD_REQUEST" : "ERR_BAD_RESPONSE";
      return { error: new AxiosError(`Request failed with status code ${status}`, code, config, response), ms: took_ms };
    } catch (error) {
      return { error, ms: took_ms };
    }
  };
}

function merged(base, given) {
  const headers = { ...lower(base.headers), ...lower(given.headers) };
  return { ...base, ...given, headers };
}

function client(base) {
  const request = async (first, second) => {
    const config = merged(base, typeof first === "string" ? { ...second, url: first } : first ?? {});
    const { headers } = config;
    headers.accept ??= "application/json, text/plain, */*";
    if (config.auth) headers.authorization = `Basic ${btoa(`${config.auth.username ?? ""}:${config.auth.password ?? ""}`)}`;
    const method = String(config.method ?? "get").toUpperCase();
    const body = method === "GET" || method === "HEAD" ? null : body_of(config.data, headers);
    const question = {
      method, url: url_of(config), headers: Object.entries(headers),
      body: body && encode(bytes_of(body), "base64"),
      timeout_ms: config.timeout > 0 ? Math.floor(config.timeout) : null,
    };
    return ask({ fetch: question }, fetched(config));
  };
  const axios = (first, second) => request(first, second);
  axios.request = request;
  axios.defaults = base;
  for (const method of ["get", "delete", "head", "options"]) {
    axios[method] = (url, config) => request({ ...config, method, url });
  }
  for (const method of ["post", "put", "patch"]) {
    axios[method] = (url, data, config) => request({ ...config, method, url, data });
  }
  axios.create = (config = {}) => client(merged(base, config));
  axios.isAxiosError = (error) => error?.isAxiosError === true;
  axios.AxiosError = AxiosError;
  axios.all = (promises) => Promise.all(promises);
  axios.default = axios;
  return axios;
}
const axios = client({ headers: {} });
