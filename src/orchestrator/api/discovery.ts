// What clients ask before anything else: the version, and which groups and kinds there are.
import { route, type Route } from '../../base/route.ts';
import { reviewGroups, reviewResources } from './reviews.ts';
import type { Resource } from './resource.ts';
import { resources } from './resources.ts';
import { statusBody } from './status.ts';

/** The version of Kubernetes whose shapes and rules these are. */
const MINOR = 34;

interface Build {
  readonly version: string;
}

const get = (path: string, summary: string, body: object): Route =>
  route({
    method: 'GET',
    path,
    right: 'read',
    summary,
    problem: statusBody,
    handler: () => ({ type: 'application/json', body }),
  });

export const discoveryRoutes = ({ version }: Build): readonly Route[] => [
  get('/version', 'Version of the Kubernetes API', {
    major: '1',
    minor: String(MINOR),
    gitVersion: `v1.${MINOR}.0+jdos-${version}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: process.version,
    compiler: 'node',
    platform: `${process.platform}/${process.arch}`,
  }),
  get('/api', 'Versions of the core group', {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [],
  }),
  get('/apis', 'Groups of the Kubernetes API beside the core group', {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: reviewGroups.map((name) => {
      const version = { groupVersion: `${name}/v1`, version: 'v1' };
      return { name, versions: [version], preferredVersion: version };
    }),
  }),
  ...reviewGroups.map((name) =>
    get(`/apis/${name}/v1`, `Kinds of the group ${name}`, {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: `${name}/v1`,
      resources: reviewResources(name),
    }),
  ),
  get('/api/v1', 'Kinds of the core group', {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: resources.flatMap(describe).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  }),
];

const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

interface ApiResource {
  readonly name: string;
}

function describe(one: Resource): readonly ApiResource[] {
  const { plural, singular, namespaced, kind, shortNames, categories } = one;
  const main = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: one.collection === false ? VERBS : [...VERBS, 'deletecollection'].toSorted(),
    shortNames,
    ...(categories === undefined ? {} : { categories }),
  };
  const part = (name: string, verbs: readonly string[]): ApiResource =>
    ({ name: `${plural}/${name}`, singularName: '', namespaced, kind, verbs }) as ApiResource;
  return [
    main,
    ...(one.status === undefined ? [] : [part('status', ['get', 'patch', 'update'])]),
    ...(kind === 'Pod' ? [part('log', ['get'])] : []),
  ];
}
