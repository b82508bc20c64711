// app.proto, as @grpc/grpc-js and as @connectrpc want it.

'use strict';

const path = require('path');

const buf = require('@bufbuild/protobuf');
const wkt = require('@bufbuild/protobuf/wkt');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');


const definition = loader.loadSync(path.join(__dirname, 'app.proto'),
                                   { longs: Number, defaults: true });

const App = grpc.loadPackageDefinition(definition).app.App;

const files = buf.createFileRegistry(buf.create(wkt.FileDescriptorSetSchema, {
    file: definition['app.Wish'].fileDescriptorProtos.map(
        (bytes) => buf.fromBinary(wkt.FileDescriptorProtoSchema, bytes))
}));

module.exports = { App, WebApp: files.getService('app.App') };
