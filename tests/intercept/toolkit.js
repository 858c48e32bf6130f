// What the cloud's component for functions does with its own toolkit, step by step, and what it
// has at the end of each step: one line of JSON. Usage: node toolkit.js PACKAGE ZIP
'use strict';

const { createRequire } = require('module');
const { Cos, Scf } = createRequire(process.argv[2])('tencent-component-toolkit');

const credentials = { SecretId: 'AKIDLOCALGATEWAY', SecretKey: 'local-gateway-key' };
const region = 'ap-guangzhou';
const tell = console.log;
console.log = console.error; // the toolkit's own talk

const looked = () => new Promise((go) => process.stdin.once('data', go)); // whoever watches has

const event = { apigw: { parameters: {
  serviceName: 'shop', protocols: ['http'], environment: 'release',
  endpoints: [{ path: '/user', method: 'ANY', function: { isIntegratedResponse: true } }],
} } };
const inputs = {
  name: 'express', handler: 'index.main_handler', runtime: 'Python3.10',
  code: { bucket: 'sls-code', object: 'express.zip' },
  environment: { variables: { STEP: 'one' } }, tags: { owner: 'me' },
};

async function main() {
  const bucket = 'sls-code-1250000000';
  const cos = new Cos(credentials, region);
  await cos.deploy({ bucket, force: true, lifecycle: [
    { status: 'Enabled', id: 'old', filter: '', expiration: { days: '10' } }] });
  await cos.upload({ bucket, file: process.argv[3], key: 'express.zip' });

  const scf = new Scf(credentials, region);
  const state = {}; // what the component remembers from one deployment to the next
  const step = async (name, more) => {
    const events = [{ apigw: { ...event.apigw, parameters: {
      ...event.apigw.parameters, ...(state.apigw && {
        serviceId: state.apigw.serviceId, oldState: { apiList: state.apigw.apiList } }) } } }];
    const out = await scf.deploy({ ...inputs, lastVersion: state.lastVersion, ...more,
      events: JSON.parse(JSON.stringify(events)) });
    state.apigw = out.Triggers[0];
    state.lastVersion = out.LastVersion || state.lastVersion;
    const alias = await scf.alias.get({ functionName: 'express' });
    tell(JSON.stringify({ step: name, version: out.LastVersion, traffic: out.Traffic,
      status: out.Status, service: state.apigw.serviceId, domain: state.apigw.subDomain,
      apis: state.apigw.apiList, weights: alias.RoutingConfig.AdditionalVersionWeights,
      main: alias.FunctionVersion }));
    await looked();
  };
  await step('created', {});
  await step('traffic without a version', { traffic: 0.1 });
  await step('published', { publish: true, traffic: 0 });
  await step('a tenth', { traffic: 0.1 });
  await step('everything', { traffic: 1 });
  await step('alias', { aliasName: 'canary', aliasFunctionVersion: '1',
    additionalVersionWeights: [{ version: '$LATEST', weight: 0.4 }] });
  const canary = await scf.alias.get({ functionName: 'express', aliasName: 'canary' });
  const invoked = await scf.invoke({ functionName: 'express', qualifier: '1' });
  const tags = await scf.tagClient.getScfResourceTags({ functionName: 'express' });
  await scf.remove({ functionName: 'express', Triggers: [
    { ...state.apigw, created: true }] });
  const gone = await scf.scf.get({ functionName: 'express' });
  tell(JSON.stringify({ step: 'removed', canary, invoked, tags, gone }));
  process.stdin.pause();
}

main().catch((error) => { console.error('FAILED', error); process.exit(1); });
